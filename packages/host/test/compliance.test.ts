import { compliance } from "@anyproc/compliance";
import { createHost } from "@anyproc/host";

compliance("host", { setup: () => ({ environment: createHost() }) });
