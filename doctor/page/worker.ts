/** The doctor in a worker of its own, with the digits that lie beside the page. */
import { loadMnist } from "../../site/shell/mnist.ts";
import { serveDoctor } from "../serve.ts";

serveDoctor({ digits: () => loadMnist(() => {}) });
