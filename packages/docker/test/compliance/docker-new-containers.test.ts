import { newContainers } from "./suites.ts";

newContainers("docker");
