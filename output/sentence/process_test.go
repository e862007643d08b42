package sentence

import (
	"slices"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
)

// TestProcesses: whose the ends of a story's connections are is told once for each process, as far
// as it is known of any; else why not.
func TestProcesses(t *testing.T) {
	end := func(pid int, command string, why report.SocketReason) *report.SocketEnd {
		return &report.SocketEnd{
			Process: report.SocketProcess{PID: pid, Command: command}, Unknown: why,
		}
	}
	java := end(7, "ja\x1b[31mva", 0)
	java.Container, java.Pod = strings.Repeat("0123456789abcdef", 4), "de7a"
	gone := end(0, "", report.SocketEnded)
	for name, tt := range map[string]struct {
		ends [][2]*report.SocketEnd
		want []string
	}{
		"none": {[][2]*report.SocketEnd{{}}, nil},
		"known": {
			[][2]*report.SocketEnd{{gone, java}, {gone, java}, {end(8, "", 0), nil}},
			[]string{
				`the server is ja\x1b[31mva (process 7), container 0123456789ab, pod de7a`,
				"the client is process 8",
			},
		},
		"not known": {
			[][2]*report.SocketEnd{{gone, nil}, {gone, nil}},
			[]string{"the client is of this machine; its socket had ended before it was looked up"},
		},
		"many": {
			[][2]*report.SocketEnd{
				{end(1, "a", 0)}, {end(2, "a", 0)}, {end(3, "a", 0)}, {end(4, "a", 0)},
				{end(5, "a", 0)},
			},
			[]string{
				"the client is a (process 1)", "the client is a (process 2)",
				"the client is a (process 3)", "and 2 more processes",
			},
		},
	} {
		r := &report.Report{Findings: []report.Finding{{}}}
		for i, ends := range tt.ends {
			r.Conns = append(r.Conns, report.ConnInfo{ID: i, Ends: ends})
			r.Findings[0].Occurrences = append(r.Findings[0].Occurrences,
				report.Occurrence{Connection: i})
		}
		teller := &Teller{Report: r}
		if got := teller.Processes(&report.Story{Findings: []int{0, 9}}); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
