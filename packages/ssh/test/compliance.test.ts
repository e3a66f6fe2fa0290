import { compliance } from "@anyproc/compliance";
import { afterAll } from "vitest";
import { enter, type SshServer, startSshServer } from "./server.ts";

let server: Promise<SshServer> | undefined;
afterAll(async () => (await server)?.stop());

compliance("ssh", {
  setup: async () => {
    server ??= startSshServer();
    return { environment: await enter(await server) };
  },
});
