export { type PulledImage, pullImage } from "./pull/pull-image.ts";
