import { createServer, request } from "node:http";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createHttpClient, readBody } from "../../src/registry/http.ts";
import { proxyFor } from "../../src/registry/proxy.ts";

describe("the environment names proxies", () => {
  const env = { HTTPS_PROXY: "http://secure:1", http_proxy: "plain:2", NO_PROXY: "example.org,.internal,other:8443" };
  test.each([
    ["https://a.example/", "http://secure:1/"],
    ["http://a.example/", "http://plain:2/"],
    ["https://example.org/", undefined],
    ["https://sub.example.org/", undefined],
    ["https://notexample.org/", "http://secure:1/"],
    ["https://x.internal/", undefined],
    ["https://other:8443/", undefined],
    ["https://other/", "http://secure:1/"],
    ["https://localhost:5000/", undefined],
    ["http://127.0.0.1/", undefined],
    ["http://[::1]:5000/", undefined],
  ])("%s goes through %s", (url, proxy) => {
    expect(proxyFor(new URL(url), env)?.href).toBe(proxy);
  });

  test("none, all of them, and one that makes no sense", () => {
    expect(proxyFor(new URL("https://a.example/"), {})).toBeUndefined();
    expect(proxyFor(new URL("https://a.example/"), { NO_PROXY: "*", HTTPS_PROXY: "http://p" })).toBeUndefined();
    expect(proxyFor(new URL("http://a.example/"), { ALL_PROXY: "http://p" })?.host).toBe("p");
    expect(() => proxyFor(new URL("http://a.example/"), { ALL_PROXY: "socks5://p" })).toThrowError(/proxy/);
  });
});

test("requests go through the proxy, with its own login", async () => {
  const target = createServer((_, response) => response.end("hello"));
  const seen: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url} ${incoming.headers["proxy-authorization"]}`);
    // The name does not exist: whoever gets an answer has asked the proxy.
    const url = (incoming.url ?? "").replace("registry.invalid", `127.0.0.1:${portOf(target)}`);
    request(url, (response) => response.pipe(outgoing)).end();
  });
  proxy.on("connect", (incoming, socket) => {
    seen.push(`CONNECT ${incoming.url} ${incoming.headers["proxy-authorization"]}`);
    const through = connect(portOf(target), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      through.pipe(socket).pipe(through);
    });
    through.on("error", () => socket.destroy());
    socket.on("error", () => through.destroy());
  });
  for (const server of [target, proxy]) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
  }
  const address = `http://user:pass@127.0.0.1:${portOf(proxy)}`;
  const before = { ...process.env };
  Object.assign(process.env, { http_proxy: address, https_proxy: address });
  onTestFinished(() => {
    process.env = before;
  });
  const client = createHttpClient({ idleTimeoutMs: 5000 });
  onTestFinished(() => client.close());
  const response = await client.send({ method: "GET", url: new URL("http://registry.invalid/x") });
  expect((await readBody("answer", response.body, 100)).toString()).toBe("hello");
  // The other end of the tunnel speaks no TLS: that it says so shows that it was reached.
  await expect(client.send({ method: "GET", url: new URL("https://registry.invalid/x") })).rejects.toMatchObject({
    code: "EPROTO",
  });
  const login = `Basic ${Buffer.from("user:pass").toString("base64")}`;
  expect(seen).toEqual([`GET http://registry.invalid/x ${login}`, `CONNECT registry.invalid:443 ${login}`]);
});

function portOf(server: ReturnType<typeof createServer>): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}
