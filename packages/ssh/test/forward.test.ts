import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { exec } from "@anyproc/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { SshEnvironment } from "../src/index.ts";
import { describeOnServer, enter, rejection, type SshServer, startSshServer, within, withServer } from "./server.ts";

let server: SshServer;
let box: SshEnvironment;
let echo: Server;
let echoPort: number;
beforeAll(async () => {
  server = await startSshServer();
  box = await enter(server);
  // Answers with what it was sent, once that has ended.
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    let said = "";
    socket.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    socket.on("end", () => socket.end(`echo: ${said}`));
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  const address = echo.address();
  echoPort = typeof address === "object" && address ? address.port : 0;
});
afterAll(async () => {
  echo.close();
  await box.close();
  await server.stop();
});

async function ask(port: number, question: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  socket.end(question);
  return text(socket);
}

describeOnServer("port forwarding", () => {
  it("leads from a port here to one on the server", async () => {
    const forward = await box.forwardLocal({ port: echoPort });
    expect(await ask(forward.port, "one")).toBe("echo: one");
    const large = "x".repeat(3_000_000);
    expect((await ask(forward.port, large)).length).toBe(large.length + "echo: ".length);
    await forward.close();
    await forward.close();
    expect(await rejection(ask(forward.port, "late"))).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("leads from a port on the server to one here", async () => {
    const forward = await box.forwardRemote({ port: echoPort });
    expect(forward.port).toBeGreaterThan(0);
    expect(await ask(forward.port, "from there")).toBe("echo: from there");
    await forward.close();
    expect(await rejection(ask(forward.port, "late"))).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("keeps forwards apart", async () => {
    const other = createServer((socket) => socket.end("other"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const first = await box.forwardRemote({ port: echoPort });
    const second = await box.forwardRemote({ port: typeof address === "object" && address ? address.port : 0 });
    expect(await ask(first.port, "a")).toBe("echo: a");
    expect(await ask(second.port, "b")).toBe("other");
    await Promise.all([first.close(), second.close()]);
    other.close();
  });

  it("ends what is open when it is closed, or the environment is", async () => {
    const forward = await box.forwardLocal({ port: echoPort });
    const socket = connect({ host: "127.0.0.1", port: forward.port });
    await once(socket, "connect");
    const closed = once(socket, "close");
    await forward.close();
    await closed;
    const { port } = await within(enter(server), (other) => other.forwardLocal({ port: echoPort }));
    expect(await rejection(ask(port, "late"))).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("says that a port is taken, and that nothing is behind one", async () => {
    const taken = await rejection(box.forwardLocal({ listenPort: echoPort, port: 1 }));
    expect(taken).toMatchObject({ code: "ANYPROC_FORWARD_FAILED" });
    const errors: Error[] = [];
    const forward = await box.forwardLocal({ port: 1, onError: (error) => errors.push(error) });
    expect(await ask(forward.port, "anyone?").catch(() => "")).toBe("");
    expect(errors).toMatchObject([{ code: "ANYPROC_FORWARD_FAILED" }]);
    await forward.close();
    expect((await exec(box, ["echo", "still here"])).stdout).toBe("still here\n");
  });

  it("says that the server does not allow it", async () => {
    await withServer({ config: ["AllowTcpForwarding no"] }, async (strict) => {
      await within(enter(strict), async (other) => {
        const error = await rejection(other.forwardRemote({ port: echoPort }));
        expect(error).toMatchObject({ code: "ANYPROC_FORWARD_FAILED" });
        expect(error.message).toContain("AllowTcpForwarding");
      });
    });
  });
});
