"""The stylesheet of a report's page: phone and desktop, dark and light, screen and paper."""

from __future__ import annotations

_LIGHT = """
--page: #f6f7f9; --card: #ffffff; --text: #1b1f27; --soft: #5a6372; --edge: #d9dde4;
--blue: #1f6feb; --green: #1a7f37; --red: #c6202f; --amber: #9a6700; --gray: #6e7781;
--old: #7fb0f5; --new: #3fa35a; --bad: #d4434f; --worn: #d9a13b;
"""
_DARK = """
--page: #0f1319; --card: #171c25; --text: #e6e9ef; --soft: #9aa4b4; --edge: #2c3442;
--blue: #6ea8fe; --green: #56d17b; --red: #ff7b80; --amber: #e3b341; --gray: #9aa4b4;
--old: #3f6fb3; --new: #2f8f4e; --bad: #c8434d; --worn: #a9781f;
"""
STYLE = f"""
:root {{ color-scheme: light dark; {_LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere; -webkit-text-size-adjust: 100%; }}
main {{ max-width: 60rem; margin: 0 auto; padding: 1rem; }}
section, .hero {{ background: var(--card); border: 1px solid var(--edge); border-radius: 12px;
  padding: 1rem 1.25rem; margin: 0 0 1rem; }}
h1 {{ font-size: 1.35rem; line-height: 1.3; margin: .25rem 0 .5rem; }}
h2 {{ font-size: 1.05rem; margin: 0 0 .75rem; }}
h3 {{ font-size: .95rem; margin: 1rem 0 .4rem; }}
p {{ margin: .4rem 0; }}
code, pre, .mono {{ font-family: ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace;
  font-size: .875rem; }}
pre {{ white-space: pre-wrap; margin: .5rem 0; }}
.hero {{ border-left: 8px solid var(--state); }}
.hero.blue {{ --state: var(--blue); }} .hero.green {{ --state: var(--green); }}
.hero.red {{ --state: var(--red); }} .hero.amber {{ --state: var(--amber); }}
.hero.gray {{ --state: var(--gray); }} .hero.hollow {{ border-left-style: double; }}
.state {{ color: var(--state); font-weight: 700; letter-spacing: .02em; }}
.chip {{ display: inline-block; border: 1px solid currentColor; border-radius: 999px;
  padding: 0 .6rem; margin-right: .5rem; font-size: .8rem; font-weight: 700; }}
.number {{ font-size: 2.6rem; font-weight: 700; line-height: 1.1; margin: .5rem 0 0;
  font-variant-numeric: tabular-nums; }}
.soft, dt, time, th, figcaption {{ color: var(--soft); }}
.alarm {{ color: var(--red); font-weight: 700; }}
.soft, figcaption {{ font-size: .875rem; }}
.command {{ display: block; border: 1px solid var(--edge); border-radius: 8px;
  background: var(--page); padding: .5rem .75rem; margin: .25rem 0 .5rem; }}
dl {{ display: grid; grid-template-columns: minmax(6rem, auto) 1fr; gap: .25rem 1rem; margin: 0; }}
dt {{ font-size: .875rem; }} dd {{ margin: 0; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0;
  border-bottom: 1px solid var(--edge); overflow-wrap: normal; }}
td {{ overflow-wrap: anywhere; min-width: 3rem; }}
th {{ font-size: .8rem; font-weight: 600; }}
td:last-child, th:last-child {{ padding-right: 0; }}
ol.lines, ul.plain {{ list-style: none; margin: 0; padding: 0; }}
ol.lines li {{ display: grid; grid-template-columns: 8.5rem 1.2rem 1fr; padding: .15rem 0; }}
ol.lines time {{ font-size: .8rem; font-variant-numeric: tabular-nums; padding-top: .15rem; }}
ol.lines .phase span {{ font-weight: 600; }}
ol.lines .failed {{ color: var(--red); }} ol.lines .done i {{ color: var(--green); }}
i {{ font-style: normal; }}
@media (max-width: 36rem) {{
  section, .hero {{ padding: .9rem; }}
  ol.lines li {{ grid-template-columns: 1.2rem 1fr; }}
  ol.lines time {{ grid-column: 1 / -1; }} ol.lines .same time {{ display: none; }}
  dl {{ grid-template-columns: minmax(4.5rem, auto) 1fr; gap: .3rem .75rem; }}
}}
figure {{ margin: 0 0 .75rem; }}
svg.chart {{ display: block; width: 100%; }}
svg text {{ fill: var(--text); font-size: 12px; }} svg text.soft {{ fill: var(--soft); }}
.old, .blue-side {{ fill: var(--old); }} .new, .green-side {{ fill: var(--new); }}
.nxdomain, .nodata, .failed-check {{ fill: var(--bad); }}
.timeout, .error, .untold {{ fill: var(--worn); }}
.axis {{ stroke: var(--edge); }} .moment {{ stroke: var(--text); stroke-dasharray: 3 3; }}
.hatch {{ stroke: var(--card); stroke-width: 2; }}
.legend {{ display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0;
  margin: .5rem 0 0; font-size: .875rem; }}
.legend svg {{ width: 1.4rem; height: .9rem; vertical-align: -.1rem; margin-right: .35rem; }}
.batch {{ border-top: 1px solid var(--edge); padding: .6rem 0; }}
.batch:first-of-type {{ border-top: 0; padding-top: 0; }}
summary {{ cursor: pointer; }}
footer {{ color: var(--soft); font-size: .8rem; padding: 0 .25rem 1rem; }}
@media print {{
  :root {{ color-scheme: light; {_LIGHT} --page: #ffffff; }}
  @page {{ margin: 15mm; }}
  body {{ font-size: 10.5pt; }}
  main {{ max-width: none; padding: 0; }}
  section, .hero {{ break-inside: avoid-page; border-radius: 0; padding: .5rem .75rem; }}
  section.long {{ break-inside: auto; }}
  .batch, li, tr {{ break-inside: avoid; }}
  svg, .hero {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
  .scroll {{ overflow: visible; }}
  details {{ display: none; }}
}}
"""
