declare module "virtual:digits" {
  /** Where the file of digits is. */
  const url: string;
  export default url;
}

declare module "*.tex" {
  /** Formulas as MathML, by name. */
  const formulas: Record<string, string>;
  export default formulas;
}

declare module "virtual:reference" {
  /** Where the guides and the API are, as JSON. */
  const url: string;
  export default url;
}
