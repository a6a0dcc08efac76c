(() => {
"use strict";
{{format}}
{{element}}
{{theme}}
{{blocks}}
{{responses}}
{{query}}
{{rows}}
{{reader}}
{{filters}}
{{keys}}
{{start}}
})();
