"""The page's style: inline, light or dark as the reader's system is, two widths."""

STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--quiet:#57606a;--line:#d3d9df;--card:#f5f7f9;
--valid:#1a7f37;--invalid:#c4211b;--unknown:#875800;--on:#fff;
--fault:#b4460f;--open:#2563a8;--rate:#2f7d6b;--stall:#a3195f;--fence:#6331c4}
@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e6e8eb;--quiet:#9aa4af;--line:#343b44;
--card:#1c2127;--valid:#4ac26b;--invalid:#ff7b72;--unknown:#e3b341;--on:#14171b;
--fault:#f0883e;--open:#6cb6ff;--rate:#57c1a5;--stall:#f778ba;--fence:#b99cff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1120px;padding:24px 20px 60px;background:var(--bg);color:var(--fg);
font:15px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;overflow-wrap:anywhere}
h1{font-size:26px;line-height:1.25;margin:0 0 4px}h2{font-size:20px;margin:36px 0 10px}
h3{font-size:18px;margin:0}h4{font-size:14px;margin:18px 0 6px}p{margin:6px 0}
a{color:var(--open)}.quiet{color:var(--quiet)}
code,pre{font:13px/1.45 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
pre{margin:6px 0;padding:8px 10px;background:var(--card);border:1px solid var(--line);
border-radius:4px;white-space:pre-wrap}
.badge{display:inline-block;padding:0 8px;border-radius:3px;font-weight:650;font-size:13px;
line-height:22px;white-space:nowrap;color:var(--on);background:var(--quiet)}
.badge.VALID{background:var(--valid)}.badge.INVALID{background:var(--invalid)}
.badge.UNKNOWN{background:var(--unknown)}
.verdict{margin:18px 0;padding:12px 16px;border:1px solid var(--line);border-left:6px solid;
border-radius:4px;background:var(--card);font-size:18px}
.verdict.VALID{border-left-color:var(--valid)}.verdict.INVALID{border-left-color:var(--invalid)}
.verdict.UNKNOWN{border-left-color:var(--unknown)}
.verdict ul{margin:8px 0 0;padding-left:20px;font-size:15px}
dl.ran{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0}
dl.ran dt{color:var(--quiet)}dl.ran dd{margin:0}
.totals{display:grid;grid-template-columns:repeat(4,1fr);gap:10px;margin:0}
.totals div{padding:8px 12px;border:1px solid var(--line);border-radius:4px}
.totals dt{color:var(--quiet);font-size:13px;line-height:1.3}
.totals dd{margin:0;font-size:22px;font-weight:600;line-height:1.35;
font-variant-numeric:tabular-nums}
.totals small{display:block;font-size:12px;font-weight:400;color:var(--quiet);line-height:1.3}
.totals .bad{border-color:var(--invalid)}.totals .bad dd{color:var(--invalid)}
table{border-collapse:collapse;width:100%}
th,td{padding:5px 10px 5px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{color:var(--quiet);font-weight:500;font-size:13px;line-height:1.3;vertical-align:bottom}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.bad{color:var(--invalid);font-weight:650}.over{color:var(--unknown);font-weight:650}
.meter{display:inline-block;vertical-align:middle;margin-left:6px}
.meter .rate{fill:var(--rate);fill-opacity:1;stroke:none}
.meter .tick-mark{stroke:var(--fg);stroke-width:2}
section{margin:28px 0 0;padding:18px 0 0;border-top:2px solid var(--line)}
.title{display:flex;flex-wrap:wrap;gap:4px 10px;align-items:center}
.key{display:flex;flex-wrap:wrap;gap:4px 16px;margin:8px 0 2px;font-size:13px;color:var(--quiet)}
.key span{display:inline-flex;align-items:center;gap:6px}
details{margin:8px 0}summary{cursor:pointer;color:var(--quiet)}
summary:focus-visible,a:focus-visible{outline:2px solid var(--open)}
td details{margin:2px 0}
figure{margin:14px 0 0}
svg.timeline{display:block;width:100%;height:auto;font-size:12px;fill:var(--fg)}
svg.narrow{display:none;max-width:620px}
.swatch{width:22px;height:12px;flex:none}
.rate{vector-effect:non-scaling-stroke}
.stall-label,.alarm,.label{paint-order:stroke;stroke:var(--bg);stroke-width:3px}
.on-fault,.on-open{stroke:none}
.grid{stroke:var(--line)}.base{stroke:var(--quiet);fill:none}.track{fill:var(--card);stroke:var(--line)}
.name{font-weight:600}.tick{text-anchor:middle;fill:var(--quiet)}.end{text-anchor:end}
svg .quiet{fill:var(--quiet)}
.fault{fill:var(--fault)}.unhealed{stroke:var(--fault);stroke-dasharray:4 3;fill-opacity:.75}
.shade{fill:var(--fault);fill-opacity:.07}.fault-line{stroke:var(--fault);stroke-dasharray:3 3}
.fenced{fill:var(--fence);stroke:var(--bg)}.fence-line{stroke:var(--fence);stroke-width:1.5}
.heal{fill:var(--valid)}.note{fill:var(--quiet)}
.open{fill:var(--open)}.both{stroke:var(--invalid);stroke-width:1.5}
.rate{fill:var(--rate);fill-opacity:.45;stroke:var(--rate)}.stall{stroke:var(--stall)}
.hatch-stall{stroke:var(--stall);stroke-width:1}.hatch-both{stroke:var(--invalid);stroke-width:1.5}
.stall-label{text-anchor:middle;font-weight:650;fill:var(--stall)}
.on-fault,.on-open{fill:var(--on);font-weight:600}.alarm{fill:var(--invalid);font-weight:700}
@media(max-width:819px){.totals{grid-template-columns:1fr 1fr}
svg.wide{display:none}svg.narrow{display:block}
body{padding:16px 12px 40px}h1{font-size:22px}
table.drills thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
table.drills tr{display:grid;grid-template-columns:1fr 1fr;gap:0 14px;padding:10px 0;
border-bottom:1px solid var(--line)}
table.drills td{border:0;padding:1px 0;display:flex;justify-content:space-between;gap:8px;
text-align:left}
table.drills td::before{content:attr(data-label);
color:var(--quiet);font-size:13px;white-space:normal}
table.drills td.place{display:none}
table.drills td.whole{grid-column:1/-1;display:block}table.drills td.whole::before{content:none}
table.checks thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
table.checks tr,table.checks td{display:block;border:0;padding:1px 0}
table.checks td:nth-child(-n+3){display:inline;margin-right:8px}
table.checks tr{padding:8px 0;border-bottom:1px solid var(--line)}}
figure .only{overflow-x:auto}
.only svg.wide{display:block;min-width:820px}
@media print{body{max-width:none}svg.wide{display:block}svg.narrow{display:none}
section{break-inside:avoid}}
"""
