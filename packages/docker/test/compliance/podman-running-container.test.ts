import { runningContainer } from "./suites.ts";

runningContainer("podman");
