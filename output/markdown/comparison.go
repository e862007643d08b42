package markdown

import (
	"fmt"
	"io"
	"strings"

	"tcpwhy/analysis/compare"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
)

// Comparison writes what changed in GitHub's dialect, for the pull request that made the change.
func Comparison(w io.Writer, c *compare.Comparison) error {
	d := draft{}
	d.add("**"+plain(sentence.Compared(c))+"**\n\n", 0)
	for _, warning := range c.Warnings {
		d.add("> Beware: "+plain(warning.Text)+".\n>\n", mostOctets/2)
	}
	if len(c.Warnings) > 0 {
		d.add("\n", 0)
	}
	for _, line := range sentence.Changed(c) {
		text := arrows(plain(line.Text))
		if line.Weight != sentence.Usual {
			text = "**" + text + "**"
		}
		d.add(text+"\n\n", 0)
	}
	d.compared(c)
	d.changed(c)
	d.spent(c)
	_, err := io.WriteString(w, d.text.String())
	return err
}

// arrows has arrows as a browser shows them.
func arrows(s string) string { return strings.ReplaceAll(s, "->", "→") }

// table adds a table, as far as there is room, and says how many rows are not in it.
func (d *draft) table(head string, n int, row func(i int) string) {
	if n == 0 {
		return
	}
	d.add(head, 0)
	shown := 0
	for shown < min(n, maxRows) && d.add(row(shown), 0) {
		shown++
	}
	if more := n - shown; more > 0 {
		d.add("\nand "+wording.Grouped(more)+" more\n", 0)
	}
	d.add("\n", 0)
}

// compared is a table of the endpoints.
func (d *draft) compared(c *compare.Comparison) {
	d.table("| endpoint | | exchanges | median | difference (95 %) |\n|---|---|--:|--:|--:|\n",
		len(c.Endpoints), func(i int) string {
			e := &c.Endpoints[i]
			shift := sentence.Values(&e.Before) + " -> " + sentence.Values(&e.After)
			if e.Shift != nil {
				shift = sentence.Interval(e.Shift)
			}
			return fmt.Sprintf("| %s | %s | %s → %s | %s → %s | %s |\n",
				cell(sentence.ComparedName(c, e)), sentence.Verdicts(e),
				wording.Grouped(e.Before.Exchanges), wording.Grouped(e.After.Exchanges),
				spaced(wording.Duration(e.Before.Durations.Median())),
				spaced(wording.Duration(e.After.Durations.Median())), arrows(cell(shift)))
		})
}

// changed is a table of what became of findings.
func (d *draft) changed(c *compare.Comparison) {
	d.table("| finding | | severity | how much |\n|---|---|---|---|\n", len(c.Findings),
		func(i int) string {
			f := &c.Findings[i]
			return fmt.Sprintf(
				"| %s | %s | %s | %s |\n",
				cell(f.Title),
				sentence.Became(f),
				f.Severity,
				arrows(cell(sentence.HowMuch(f))),
			)
		})
}

// spent is a table of where the time of an exchange went.
func (d *draft) spent(c *compare.Comparison) {
	shown := sentence.Shifts(c)
	d.table(
		"| where the time went, for each exchange | before | after | difference |\n|---|--:|--:|--:|\n",
		len(shown),
		func(i int) string {
			s := shown[i]
			return fmt.Sprintf("| %s | %s | %s | %s |\n", cell(s.Label.Title()),
				spaced(wording.Duration(s.Before)), spaced(wording.Duration(s.After)),
				spaced(sentence.Signed(s.After-s.Before)))
		},
	)
}
