import { newContainers } from "./suites.ts";

newContainers("podman");
