package text

import (
	"fmt"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/output/page"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
)

const (
	maxShares    = 5  // services or clients in the table of a story
	shareFigures = 40 // columns of its figures
	// fewClients is how many services there are for each client where it is the clients that
	// matter.
	fewClients = 4
)

// shares is a table of the worst services of a story; of the clients where few of them meet many
// services. There is none for one service.
func (t *textReport) shares(s *report.Story) {
	if s.Services < 2 {
		return
	}
	all, whole, who, others := s.WorstServices, s.Services, "service", "clients"
	if s.Clients*fewClients <= s.Services {
		all, whole, who, others = s.WorstClients, s.Clients, "client", "services"
	}
	name := t.Width - labelWidth - shareFigures
	lost := s.Cost.Expected > 0
	t.shareLine("Where", name, who, []string{"times", others, lostTitle(lost), "share"})
	for i := range all[:min(len(all), maxShares)] {
		p := &all[i]
		figures := []string{wording.Grouped(p.Count), wording.Grouped(p.Others), "", ""}
		if lost {
			figures[2] = wording.Duration(p.Cost)
		}
		if p.Affected > 0 && p.Exchanges > 0 {
			figures[3] = wording.Percent(time.Duration(min(p.Affected, p.Exchanges)),
				time.Duration(p.Exchanges))
		}
		t.shareLine("", name, sentence.ShareName(p), figures)
	}
	if more := whole - min(len(all), maxShares); more > 0 {
		t.labelled("", "and "+wording.Count(more, "more", "more"), page.Faint)
	}
	t.Blank()
}

// lostTitle heads the column of what was lost, where something was.
func lostTitle(lost bool) string {
	if lost {
		return "lost"
	}
	return ""
}

// shareLine is a name and figures in columns.
func (t *textReport) shareLine(label string, name int, who string, figures []string) {
	columns := [...]int{8, 10, 9, 8}
	who = mask.Shorten(who, name)
	var b strings.Builder
	b.WriteString(who + strings.Repeat(" ", max(0, name-page.Cells(who))))
	for i, f := range figures {
		f = strings.ReplaceAll(f, wording.NoBreak, " ")
		fmt.Fprintf(&b, "%s%s", strings.Repeat(" ", max(1, columns[i]-page.Cells(f))), f)
	}
	line := fmt.Sprintf("%s%-*s%s", detailIndent, labelWidth-len(detailIndent), label, b.String())
	t.Put(page.Cut(t.Fit(strings.TrimRight(line, " ")), t.Width), page.Plain)
	t.Blank()
}
