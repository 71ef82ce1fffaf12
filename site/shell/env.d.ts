declare module "virtual:digits" {
  /** Where the file of digits is. */
  const url: string;
  export default url;
}
