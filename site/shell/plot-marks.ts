// What the site's pictures are made of, so that a page does not load the marks that none has.
export {
  barX,
  cell,
  contour,
  dot,
  gridY,
  line,
  plot,
  rect,
  ruleX,
  ruleY,
  text,
  vector,
} from "@observablehq/plot";
