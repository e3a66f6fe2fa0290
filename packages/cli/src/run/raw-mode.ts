import { spawnSync } from "node:child_process";
import type { ReadStream } from "node:tty";

/**
 * Hands every key of a terminal to the program, Ctrl-C and Ctrl-Z too, until the returned function is called. However
 * this process ends, short of SIGKILL, the terminal gets its old mode back. No effect on what is not a terminal.
 */
export function rawMode(terminal: ReadStream): () => void {
  if (!terminal.isTTY) return () => {};
  const enter = (): void => {
    terminal.setRawMode(true);
    passOutputUnchanged();
  };
  const leave = (): void => void terminal.setRawMode(false);
  // Somebody stops us with kill(1): the shell that gets the terminal back must find it as it was.
  const suspend = (): void => {
    leave();
    process.kill(process.pid, "SIGSTOP");
  };
  process.once("exit", leave);
  process.on("SIGTSTP", suspend);
  process.on("SIGCONT", enter);
  enter();
  return () => {
    process.off("exit", leave);
    process.off("SIGTSTP", suspend);
    process.off("SIGCONT", enter);
    leave();
  };
}

/**
 * Node's raw mode still turns a line feed into two characters (termios(3), OPOST). The program's own terminal has done
 * so where it is wanted; editors turn it off there, and go down a line without going back to its start.
 */
function passOutputUnchanged(): void {
  if (process.platform !== "win32") spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
}
