import { compliance } from "@anyproc/compliance";
import type { Environment } from "@anyproc/core";
import { createHost } from "@anyproc/host";

// The suite relies on nothing but the interface: an environment of another make passes it too.
compliance("host, at one remove", {
  setup: () => ({ environment: delegateTo(createHost()) }),
  repetitions: 100,
});

function delegateTo(host: Environment): Environment {
  return {
    name: "delegate",
    capabilities: {
      ...host.capabilities,
      binaryArguments: false,
      inherit: false,
      pty: false,
      user: false,
      files: false,
    },
    create(input, options) {
      const command = "argv" in input ? input : { argv: input };
      for (const part of command.argv) if (typeof part !== "string") throw unsupportedHere("binary arguments");
      if ("pty" in command || "user" in command) throw unsupportedHere("a terminal or a user");
      if ("stdout" in command && command.stdout === "inherit") throw unsupportedHere("inherited output");
      return bindAll(host.create(input, options));
    },
    async spawn(input, options) {
      const process = this.create(input, options);
      await process.start();
      return process;
    },
    close: () => host.close(),
    [Symbol.asyncDispose]: () => host.close(),
  };
}

function unsupportedHere(what: string): Error {
  return Object.assign(new Error(`delegate: ${what} is not supported here`), { code: "ANYPROC_UNSUPPORTED" });
}

/** Every method and property of an object, through another one. */
function bindAll<T extends object>(target: T): T {
  return new Proxy(target, {
    get(_target, key) {
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
