"""The page's style: light and dark, on paper and on a phone; words have a contrast of 4.5 at least to their ground."""

STYLE = """
:root{color-scheme:light dark;--paper:#fff;--panel:#f5f7f9;--ink:#1a2029;--faint:#566071;--line:#d8dde4;--good:#17703f;
--warm:#8f5200;--bad:#b3261e;--c0:#1c6aa8;--c1:#b3510b;--c2:#7a4fb5;--c3:#5d6875;--c4:#0f766e;--c5:#a32673;--soft:#b3261e22}
@media (prefers-color-scheme:dark){:root{--paper:#11141b;--panel:#1a1f29;--ink:#e9edf4;--faint:#a3aec0;--line:#343d4c;
--good:#6fcf97;--warm:#f2c94c;--bad:#f28b82;--c0:#62b5ee;--c1:#ffa15c;--c2:#c09bf7;--c3:#9aa6b8;--c4:#5cc9bd;--c5:#f283c0;
--soft:#f28b8230}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2rem 1.25rem 3rem;max-width:68rem;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{font-size:clamp(1.5rem,5vw,2.2rem);line-height:1.2;margin:.1rem 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.4rem;margin:0 0 .75rem;padding-top:1.1rem;border-top:2px solid var(--line)}
h3{font-size:1.05rem;margin:1.5rem 0 .5rem}
h4{font-size:.95rem;margin:0 0 .5rem}
h5{font-size:.8rem;margin:.6rem 0 .1rem;color:var(--faint);font-weight:600}
section{margin-top:2.4rem}
p{margin:.5rem 0;overflow-wrap:break-word}
a{color:var(--c0);overflow-wrap:anywhere}
.over{margin:0;color:var(--faint);font-size:.9rem}
.brand{color:var(--c0);font-weight:700;letter-spacing:.01em}
.lead{margin:0 0 1rem;color:var(--faint);max-width:56rem}
.note,.aside,figcaption{color:var(--faint);font-size:.9rem}
.note{max-width:52rem}
.aside{font-weight:400;font-size:.85rem}
.badge{display:inline-block;vertical-align:middle;font-size:.8rem;font-weight:600;line-height:1.4;padding:.1rem .6rem;
border:1.5px solid currentColor;border-radius:1rem}
.good{color:var(--good)}.warm{color:var(--warm)}.bad{color:var(--bad)}
.trouble{border-left:4px solid var(--bad);background:var(--panel);padding:.5rem .8rem;border-radius:0 .4rem .4rem 0;
overflow-wrap:anywhere}
.trouble strong{color:var(--bad)}
mark{background:#ffe08a;color:#1a2029;padding:0 .2em;border-radius:.2em}
nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;list-style:none;margin:1.2rem 0 0;padding:0;font-size:.9rem}
dl{margin:0}dd{margin:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.7rem}
.tiles div{background:var(--panel);border-radius:.6rem;padding:.7rem .9rem}
.tiles dt{color:var(--faint);font-size:.85rem}
.tiles b{display:block;font-size:1.45rem;line-height:1.3;font-variant-numeric:tabular-nums}
.tiles span{color:var(--faint);font-size:.8rem}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));gap:.15rem 2rem;
margin:.5rem 0 1rem}
.facts.wide{grid-template-columns:repeat(auto-fill,minmax(min(100%,27rem),1fr))}
.facts div{display:grid;grid-template-columns:8.5rem 1fr;gap:.6rem;padding:.2rem 0;border-bottom:1px solid var(--line)}
.facts dt{color:var(--faint);font-size:.9rem;overflow-wrap:anywhere}
.facts dd{overflow-wrap:anywhere;font-size:.9rem}
.checks{list-style:none;padding:0;margin:.3rem 0;font-size:.9rem}
caption.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.scroll{overflow-x:auto;margin:.9rem 0}
.scroll:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
table{border-collapse:collapse;min-width:min(100%,34rem);font-size:.88rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.3rem 0;font-size:.95rem}
th,td{padding:.3rem .9rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
td{overflow-wrap:break-word;min-width:3rem}
thead th{color:var(--faint);font-weight:500;vertical-align:bottom}
tbody th{font-weight:600}
.n{text-align:right;white-space:nowrap}
td code{overflow-wrap:anywhere}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.82rem}
pre{background:var(--panel);border-radius:.5rem;padding:.7rem .9rem;overflow-x:auto;margin:.4rem 0;line-height:1.45}
figure{margin:.9rem 0}
figcaption{margin-top:.35rem}
.chart{display:block;width:100%;height:auto;background:var(--panel);border-radius:.6rem}
.chart-box{margin:0}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--ink)}
svg .unit,svg .told{fill:var(--faint);font-size:11.5px}
.grid{stroke:var(--line);stroke-width:1}
.tick{stroke:var(--faint);stroke-width:1}
.limit{stroke:var(--faint);stroke-width:1.4;stroke-dasharray:5 4}
.limit.bad{stroke:var(--bad)}
.stretch{fill:var(--soft)}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.band{stroke:none;fill-opacity:.25}
.s0{fill:var(--c0);stroke:var(--c0)}.s1{fill:var(--c1);stroke:var(--c1)}.s2{fill:var(--c2);stroke:var(--c2)}
.s3{fill:var(--c3);stroke:var(--c3)}.s4{fill:var(--c4);stroke:var(--c4)}.s5{fill:var(--c5);stroke:var(--c5)}
.line.s0,.line.s1,.line.s2,.line.s3,.line.s4,.line.s5{fill:none}
.dot,.fill{stroke:none}
.fill.good{fill:var(--good)}.fill.warm{fill:var(--warm)}.fill.bad,.dot.bad{fill:var(--bad)}.fill.faint{fill:var(--c3)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;margin:.4rem 0 0;padding:0;font-size:.85rem}
.legend svg{width:.75rem;height:.75rem;margin-right:.4rem;vertical-align:-.05rem}
.sheet{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,15rem),1fr));gap:.8rem}
.sheet figure{margin:0;max-width:29rem}
.sheet svg{display:block;width:100%;height:auto;background:#000;border-radius:.4rem}
.outline,.spot{fill:none;stroke:#6fd8ff;stroke-width:1.5}
.tail{fill:none;stroke-width:1.6;stroke-linejoin:round}
.t0{stroke:#56ccf2;fill:#56ccf2}.t1{stroke:#ffd166;fill:#ffd166}.t2{stroke:#7ddf9a;fill:#7ddf9a}
.t3{stroke:#ff9d76;fill:#ff9d76}.t4{stroke:#d3b3ff;fill:#d3b3ff}.t5{stroke:#ff8fc8;fill:#ff8fc8}
.tail.t0,.tail.t1,.tail.t2,.tail.t3,.tail.t4,.tail.t5{fill:none}
.head{stroke:none}
.bar-back{fill:#000;fill-opacity:.62}.bar{fill:#fff}
svg .bar-words{fill:#fff;font-size:14px}
.decisions{columns:2 22rem;column-gap:1rem}
.decision{break-inside:avoid;background:var(--panel);border-radius:.6rem;padding:.8rem 1rem;margin:0 0 1rem}
.decision pre{background:none;padding:0;margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.78rem}
.methods{max-width:52rem}
.methods pre{white-space:pre-wrap;overflow-wrap:anywhere}
.marked{fill:none;stroke:#ffd166;stroke-width:2}
footer{margin-top:3rem;padding-top:1rem;border-top:2px solid var(--line);color:var(--faint);font-size:.85rem}
@media (max-width:38rem){body{padding:1.1rem .9rem 2rem}.chart-box .chart{min-width:35rem}
.facts div{grid-template-columns:7rem 1fr}.sheet{grid-template-columns:1fr 1fr;gap:.5rem}
.tiles{grid-template-columns:1fr 1fr}}
@media print{:root{color-scheme:light;--paper:#fff;--panel:#f5f7f9;--ink:#111;--faint:#4a5361;--line:#c9cfd8;
--good:#17703f;--warm:#8f5200;--bad:#b3261e;--c0:#1c6aa8;--c1:#b3510b;--c2:#7a4fb5;--c3:#5d6875;--c4:#0f766e;--c5:#a32673;--soft:#b3261e22}
@page{size:A4;margin:14mm 13mm}
body{font-size:9.5pt;padding:0;max-width:none;print-color-adjust:exact;-webkit-print-color-adjust:exact}
nav{display:none}section{margin-top:1.2rem}
h2,h3,h4,h5,caption{break-after:avoid}
figure,.decision,.tiles,tr,.sheet{break-inside:avoid}
.sheet{grid-template-columns:repeat(3,1fr);gap:.5rem}
.tiles{grid-template-columns:repeat(3,1fr)}
.tiles b{font-size:1.15rem}
.scroll{overflow:visible}pre{white-space:pre-wrap;overflow-wrap:anywhere}
table{font-size:8.5pt}code,pre{font-size:7.5pt}
a{color:inherit;text-decoration:none}}
"""
