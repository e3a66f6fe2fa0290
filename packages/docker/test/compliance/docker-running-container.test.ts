import { runningContainer } from "./suites.ts";

runningContainer("docker");
