/**
 * What a daemon takes for "leave the terminal". It cannot be turned off, and its own default would hold back every
 * Ctrl-P: so it is a row of keys that nobody types.
 */
export const detachKeys: string = Array.from({ length: 8 }, () => "ctrl-^,ctrl-_").join(",");
