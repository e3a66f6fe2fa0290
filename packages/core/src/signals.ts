/** Signal names as in signal(7), `SIGTERM` and the like. */
export type SignalName = NodeJS.Signals;

// Linux numbers (signal(7), "Signal numbering for standard signals"): exit codes 128+N are the same on every client,
// whatever the numbering of the machine that runs this code.
const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
};

const signalNames: ReadonlyMap<number, string> = new Map(
  Object.entries(signalNumbers).map(([name, number]) => [number, name]),
);

/** Number of a signal on Linux; undefined for a name that does not exist. */
export function signalNumber(name: string): number | undefined {
  return Object.hasOwn(signalNumbers, name) ? signalNumbers[name] : undefined;
}

/** Name of a Linux signal number; undefined for real-time and unknown ones. */
export function signalName(number: number): SignalName | undefined {
  return signalNames.get(number) as SignalName | undefined;
}
