package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tcpwhy/capture"
)

// shownEvidence is the part of a JSON report that its display filters are about.
type shownEvidence struct {
	Findings []struct {
		Rule        string
		Occurrences []struct {
			Connection int
			Evidence   []struct{ Frame uint64 }
			Filter     string `json:"wireshark_filter"`
		}
	}
	Connections []struct {
		ID             int
		Client, Server string
	}
}

func evidenceOf(t *testing.T, inputs []string) shownEvidence {
	t.Helper()
	_, report := renderBoth(t, analyseFiles(t, inputs, 1))
	var shown shownEvidence
	if err := json.Unmarshal([]byte(report), &shown); err != nil {
		t.Fatal(err)
	}
	return shown
}

// TestFiltersHideNothing looks for filters that name a connection while some evidence is of
// another.
func TestFiltersHideNothing(t *testing.T) {
	t.Parallel()
	for _, dir := range scenarioDirs(t) {
		inputs := captures(t, dir)
		frames, shown := frameTable(t, inputs), evidenceOf(t, inputs)
		ends := map[int][2]string{}
		for _, c := range shown.Connections {
			ends[c.ID] = [2]string{c.Client, c.Server}
		}
		for _, f := range shown.Findings {
			for _, o := range f.Occurrences {
				for _, e := range o.Evidence {
					seg := frames[capture.NewFrameID(0, e.Frame)]
					pair := [2]string{seg.Src.String(), seg.Dst.String()}
					if pair[1] == ends[o.Connection][0] {
						slices.Reverse(pair[:])
					}
					if strings.HasPrefix(o.Filter, "tcp.stream") && pair != ends[o.Connection] {
						t.Errorf("%s: %s: %q hides frame %d", dir, f.Rule, o.Filter, e.Frame)
					}
				}
			}
		}
	}
}

// TestWiresharkFilters pastes display filters into tshark: they must show the evidence and nothing
// else.
func TestWiresharkFilters(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts tshark for every rule")
	}
	tshark := findTshark(t)
	tried := map[string]bool{} // once for each rule: tshark takes a while to start
	for _, dir := range scenarioDirs(t) {
		inputs := captures(t, dir)
		if len(inputs) != 1 {
			continue
		}
		for _, f := range evidenceOf(t, inputs).Findings {
			if tried[f.Rule] || len(f.Occurrences) == 0 {
				continue
			}
			tried[f.Rule] = true
			var numbers []int
			for _, e := range f.Occurrences[0].Evidence {
				numbers = append(numbers, int(e.Frame))
			}
			slices.Sort(numbers)
			want := ""
			for _, n := range slices.Compact(numbers) {
				want += strconv.Itoa(n) + "\n"
			}
			filter := f.Occurrences[0].Filter
			// The status is not looked at: it is not zero for a file that was cut.
			got, err := exec.Command(tshark, "-r", inputs[0], "-Y", filter, "-T", "fields", "-e", "frame.number").Output()
			if string(got) != want {
				t.Errorf("%s: tshark -Y %q shows frames %q, want %q (%v)", dir, filter, got, want, err)
			}
		}
	}
	if len(tried) == 0 {
		t.Error("no scenario has a finding")
	}
}
