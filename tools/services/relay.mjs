// `node relay.mjs FROM TO`: passes on what comes to one place to another one. A place is a port of the loopback, or the
// path of a unix socket. Prints the port it listens on, 0 for a path, when it does.
import { connect, createServer } from "node:net";

const [from, to] = process.argv.slice(2).map((place) => {
  return place.startsWith("/") ? { path: place } : { port: Number(place), host: "127.0.0.1" };
});

// Each direction may end on its own.
const server = createServer({ allowHalfOpen: true }, (one) => {
  const other = connect({ ...to, allowHalfOpen: true });
  one.on("error", () => other.destroy()).pipe(other);
  other.on("error", () => one.destroy()).pipe(one);
});
server.listen(from, () => console.log(server.address().port ?? 0));
