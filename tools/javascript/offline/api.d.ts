// The page without a server: the same names, and one more.

export * from "../api.js";

/** Resolves when the model is open, or cannot be opened. */
export function waitForModel(): Promise<void>;
