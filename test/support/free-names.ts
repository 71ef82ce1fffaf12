/** Lists what a script reaches for beside its own names. */
import { parseAst } from "rollup/parseAst";

/** What a script takes from around it. */
export interface Reach {
  /** Names that it does not declare. */
  readonly names: Set<string>;
  /** What it takes of some objects of the platform, as `navigator.gpu`; `[…]` where that is computed. */
  readonly members: Set<string>;
  /** What it imports, now or later; `[…]` where that is computed. */
  readonly imports: Set<string>;
}

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

const OBJECTS = ["globalThis", "self", "window", "navigator", "document", "process"];

/** Parts of a node that are names of members or imports, unless they are computed. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  MemberExpression: ["property"],
  Property: ["key"],
  MethodDefinition: ["key"],
  PropertyDefinition: ["key"],
  ImportSpecifier: ["imported"],
  ExportSpecifier: ["exported"],
  LabeledStatement: ["label"],
  BreakStatement: ["label"],
  ContinueStatement: ["label"],
  MetaProperty: ["meta", "property"],
};

/** Parts of a node that declare names. */
const BINDINGS: Readonly<Record<string, readonly string[]>> = {
  VariableDeclarator: ["id"],
  FunctionDeclaration: ["id", "params"],
  FunctionExpression: ["id", "params"],
  ArrowFunctionExpression: ["params"],
  ClassDeclaration: ["id"],
  ClassExpression: ["id"],
  CatchClause: ["param"],
  ImportSpecifier: ["local"],
  ImportDefaultSpecifier: ["local"],
  ImportNamespaceSpecifier: ["local"],
};

/** Lists what a module's code reaches for. A name that it declares anywhere counts as its own. */
export function reachOf(code: string): Reach {
  const reach = {
    names: new Set<string>(),
    members: new Set<string>(),
    imports: new Set<string>(),
  };
  const declared = new Set<string>();
  const visit = (node: Node) => {
    for (const part of BINDINGS[node.type] ?? [])
      for (const n of bound(node[part])) declared.add(n);
    if (node.type === "Identifier") reach.names.add(String(node.name));
    if (node.type === "MemberExpression") addMember(node, reach.members);
    const source = (node.source as Node | null)?.value;
    if (node.type === "ImportExpression") reach.imports.add(String(source ?? "[…]"));
    if (/^(Import|Export\w+)Declaration$/.test(node.type) && source)
      reach.imports.add(String(source));
    if (node.type === "ExportNamedDeclaration" && source) return; // names of another module
    const names = node.computed ? [] : (NAMES[node.type] ?? []);
    for (const [key, value] of Object.entries(node)) {
      if (names.includes(key)) continue;
      for (const child of [value].flat()) if (isNode(child)) visit(child);
    }
  };
  visit(parseAst(code) as unknown as Node);
  for (const name of declared) reach.names.delete(name);
  return reach;
}

function addMember({ object, property, computed }: Node, members: Set<string>): void {
  const { type, name } = object as Node;
  if (type !== "Identifier" || !OBJECTS.includes(String(name))) return;
  members.add(`${name}.${computed ? "[…]" : (property as Node).name}`);
}

/** The names that a pattern declares. */
function bound(pattern: unknown): string[] {
  if (Array.isArray(pattern)) return pattern.flatMap(bound);
  if (!isNode(pattern)) return [];
  if (pattern.type === "Identifier") return [String(pattern.name)];
  const { properties, elements, left, argument, value } = pattern;
  return [properties, elements, left, argument, value].flatMap(bound);
}

function isNode(value: unknown): value is Node {
  return typeof (value as Node | null)?.type === "string";
}
