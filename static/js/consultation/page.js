/** The discussion on its own page. */

import { Discussion } from "./discussion.js";

new Discussion(document.querySelector("[data-hook=discussion]"));
