import { compliance } from "@anyproc/compliance";
import { afterAll } from "vitest";
import { describeOnServer, enter, type SshServer, startSshServer } from "./server.ts";

describeOnServer("over a real connection", () => {
  let server: Promise<SshServer> | undefined;
  afterAll(async () => (await server)?.stop());

  compliance("ssh", {
    setup: async () => {
      server ??= startSshServer();
      return { environment: await enter(await server) };
    },
  });
});
