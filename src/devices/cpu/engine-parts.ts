/**
 * What the compiled engine has in common with other scripts. Here its modules import that themselves;
 * in the package, where its script imports nothing, a build puts all of it here
 * (tools/engine-script.mjs).
 */
export const engineParts: object = {};
