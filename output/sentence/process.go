package sentence

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
)

const (
	mostProcesses = 3  // that are named
	idRoom        = 12 // characters of the id of a container, as docker ps shows it
)

// Processes are this machine's ends of the connections on which a story's occurrences are that are
// listed: a line for each process. What is not known of one end is said if nothing is of any.
func (t *Teller) Processes(s *report.Story) []string {
	var known, other []string
	note := func(all *[]string, line string) {
		if !slices.Contains(*all, line) {
			*all = append(*all, line)
		}
	}
	for _, i := range s.Findings {
		if i >= len(t.Report.Findings) {
			continue
		}
		for k := range t.Report.Findings[i].Occurrences {
			c := t.connection(t.Report.Findings[i].Occurrences[k].Connection)
			if c == nil {
				continue
			}
			for side, e := range c.Ends {
				if e == nil || e.PID == 0 && e.Unknown == 0 {
					continue
				}
				line := "the " + reassembly.Dir(side).String() + " is " + process(e)
				if e.Unknown == 0 {
					note(&known, line)
				} else {
					note(&other, line)
				}
			}
		}
	}
	if len(known) == 0 {
		known = other
	}
	if more := len(known) - mostProcesses; more > 0 {
		known = append(known[:mostProcesses:mostProcesses],
			"and "+wording.Count(more, "more process", "more processes"))
	}
	return known
}

// connection is one of the report, by its number; nil if that is not listed.
func (t *Teller) connection(id int) *report.ConnInfo {
	i, found := slices.BinarySearchFunc(t.Report.Conns, id,
		func(c report.ConnInfo, id int) int { return cmp.Compare(c.ID, id) })
	if !found {
		return nil
	}
	return &t.Report.Conns[i]
}

// process names whose an end is.
func process(e *report.SocketEnd) string {
	switch e.Unknown {
	case report.SocketEnded:
		return "of this machine; its socket had ended before it was looked up"
	case report.SocketHidden:
		return "of this machine" + place(e) + "; its process did not show"
	case report.SocketMissing:
		return "of this machine; its network namespace has no such socket"
	case report.SocketUnasked:
		return "of this machine; too many connections at once to look it up"
	}
	name := "process " + strconv.Itoa(e.PID)
	if e.Command != "" {
		name = mask.ASCII(e.Command) + " (" + name + ")"
	}
	return name + place(e)
}

// place is where a process runs, as far as it is somewhere; "" else.
func place(e *report.SocketEnd) string {
	var s strings.Builder
	if e.Container != "" {
		s.WriteString(", container " + mask.ASCII(e.Container[:min(idRoom, len(e.Container))]))
	}
	if e.Pod != "" {
		s.WriteString(", pod " + mask.ASCII(e.Pod))
	}
	return s.String()
}

// processFacts are whose this machine's ends of a connection are.
func processFacts(c *report.ConnInfo) (facts []string) {
	for side, e := range c.Ends {
		if e != nil && e.PID != 0 {
			facts = append(facts, reassembly.Dir(side).String()+" "+process(e))
		}
	}
	return facts
}
