/** The doctor in a worker of its own; only the full run loads the digits that lie beside the page. */
import { serveDoctor } from "../../doctor/serve.ts";
import { loadMnist } from "../shell/mnist.ts";

serveDoctor({ digits: () => loadMnist(() => {}) });
