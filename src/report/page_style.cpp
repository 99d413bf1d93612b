// SPDX-License-Identifier: Apache-2.0
#include "report/page_parts.h"

namespace lockstep {

const char* const kPlotStyle = R"css(
:root{--paper:#fff;--ink:#1b1f24;--muted:#59636e;--grid:#e4e8ec;--rim:#aab2bb;--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#b4578f;--c4:#b37a00;--c5:#3a93cc}
@media (prefers-color-scheme:dark){:root{--paper:#12161b;--ink:#e8ebee;--muted:#9aa4af;--grid:#252c34;--rim:#5b6570;--c0:#56b4e9;--c1:#f0803c;--c2:#2fc79b;--c3:#e08fc0;--c4:#e6b422;--c5:#8fd0f5}}
.plot{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;display:block;width:100%;height:auto}
.plot text{fill:var(--muted)}
.plot .paper{fill:var(--paper)}
.plot .panel{fill:var(--ink);font-weight:600;font-size:13px}
.plot .end{text-anchor:end}.plot .mid{text-anchor:middle}
.plot .grid{stroke:var(--grid);fill:none}
.plot .base{stroke:var(--rim);fill:none}
.plot .contour{stroke:var(--muted);fill:none;stroke-width:1}
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}.ink{--c:var(--ink)}
.plot .line{stroke:var(--c);fill:none;stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round}
.plot .k1 .line{stroke-dasharray:6 4}.plot .k2 .line{stroke-dasharray:1.5 4}.plot .k3 .line{stroke-dasharray:9 3 2 3}
.plot .dots{stroke:var(--c);fill:none;stroke-width:6.5;stroke-linecap:round}
.plot .s1{stroke-linecap:square;stroke-width:5.5}.plot .s2{stroke-width:1.75}.plot .s3{stroke-width:1.75;stroke-linejoin:round}
.plot .bar{fill:var(--c);opacity:.85}
.plot .band{fill:var(--c);opacity:.18;stroke:none}
.plot .note path{stroke:var(--c);stroke-width:1.25;stroke-dasharray:3 3;fill:none}
.plot .note circle{stroke:var(--c);stroke-width:2;fill:none}
.plot .note text{fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
.plot .cell text{fill:var(--ink)}
.plot .off{display:none}
)css";

const char* const kPageStyle = R"css(
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2.5rem 2rem 3rem;max-width:74rem;font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .6rem;letter-spacing:-.01em}
h2{font-size:1.2rem;margin:3.2rem 0 .25rem;padding-top:1.1rem;border-top:1px solid var(--grid)}
h3{font-size:1rem;margin:0 0 .35rem}
.verdict{font-size:1.1rem;max-width:46rem;margin:0 0 1.4rem}
.lead{color:var(--muted);max-width:46rem;margin:0}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.7rem 1.5rem;margin:0}
.facts dt{color:var(--muted);font-size:.8rem}.facts dd{margin:0;font-variant-numeric:tabular-nums}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,26rem),1fr));gap:2.4rem 2.5rem;margin-top:1.4rem}
figure{margin:0;min-width:0}
.wide{grid-column:1/-1}
.wide .plots>.scroll{grid-column:1/-1}
.wide .plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));gap:1rem 1.6rem}
figcaption{font-size:.92rem;margin-top:.45rem;max-width:46rem}
.rule,.data{color:var(--muted);font-size:.82rem;max-width:46rem;margin:.3rem 0 0}
.none{color:var(--muted);border-left:3px solid var(--grid);padding:.15rem 0 .15rem .8rem;margin:.3rem 0}
a{color:var(--c0)}
.legend,.choices{display:flex;flex-wrap:wrap;gap:.2rem .35rem;list-style:none;margin:0 0 .35rem;padding:0;font-size:.85rem}
.legend{margin-left:-.3rem}
.choices{gap:.35rem .9rem}
.choices[hidden],#tip[hidden]{display:none}
.choices span{display:inline-flex}
button{font:inherit;color:var(--muted);background:none;border:1px solid transparent;border-radius:5px;padding:.1rem .45rem;cursor:pointer;min-height:1.75rem}
button:hover{color:var(--ink)}
button:focus-visible,summary:focus-visible,a:focus-visible,.plot:focus-visible,.scroll:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
.choices button{border-color:var(--grid);border-radius:0;margin-left:-1px}
.choices button:first-child{border-radius:5px 0 0 5px;margin-left:0}.choices button:last-child{border-radius:0 5px 5px 0}
.choices button:only-child{border-radius:5px}
.choices [aria-pressed=true]{color:var(--ink);background:var(--grid)}
.legend button{padding:.1rem .3rem;color:var(--ink);display:inline-flex;align-items:center;gap:.35rem}
.legend svg{width:24px;height:12px;flex:none}
.legend [aria-pressed=false]{opacity:.4;text-decoration:line-through}
details{font-size:.85rem;margin-top:.3rem}
summary{color:var(--muted);cursor:pointer;width:max-content;max-width:100%}
.scroll{overflow:auto;max-height:24rem;margin-top:.4rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.85rem;overflow-wrap:normal}
th,td{padding:.2rem .8rem .2rem 0;text-align:right;border-bottom:1px solid var(--grid);white-space:nowrap}
th{color:var(--muted);font-weight:500;position:sticky;top:0;background:var(--paper)}
th:first-child,td:first-child{text-align:left}
#tip{position:absolute;pointer-events:none;background:var(--ink);color:var(--paper);font-size:.8rem;line-height:1.35;padding:.25rem .5rem;border-radius:5px;max-width:18rem;font-variant-numeric:tabular-nums;z-index:2;white-space:pre-line}
.plot .here{fill:none;stroke:var(--ink);stroke-width:1.5}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{margin-top:3rem;color:var(--muted);font-size:.82rem}
@media (max-width:36rem){.grid .plots .plot{font-size:13.5px}.choices{gap:.35rem .45rem}.choices button{padding:.1rem .34rem}body{padding:1.4rem 1rem 2rem}h1{font-size:1.4rem}.facts{grid-template-columns:1fr 1fr}}
@media print{:root{--paper:#fff;--ink:#000;--muted:#444;--grid:#ddd;--rim:#999;--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#b4578f;--c4:#b37a00;--c5:#3a93cc}
body{padding:0;font-size:11pt;max-width:none}.choices,details,#tip{display:none}figure,h2{break-inside:avoid}h2,h3{break-after:avoid}.grid{grid-template-columns:1fr 1fr;gap:1.2rem}.wide .plots>.scroll{grid-column:1/-1}
.wide .plots{grid-template-columns:repeat(3,1fr)}a{color:inherit}}
)css";

}  // namespace lockstep
