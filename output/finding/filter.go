package finding

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// StreamFilter begins a filter that names the connection.
const StreamFilter = "tcp.stream eq "

// Filter is a display filter of Wireshark that shows an occurrence's evidence; "" if there is none.
// Frames are numbered per file, so with several files it speaks of that file alone which holds the
// first frame of the evidence.
func Filter(r *report.Report, o *report.Occurrence) string {
	frames := filterFrames(o.Evidence)
	if len(frames) == 0 {
		return ""
	}
	filter := "frame.number in {" + strings.Join(frames, ",") + "}"
	if NamesStream(r, o) {
		filter = StreamFilter + strconv.Itoa(o.Connection) + " && " + filter
	}
	return filter
}

// NamesStream reports whether the filter may name the connection. Wireshark's number of it is ours
// only if it sees the same one file, and all of it, in the same order; and evidence from before or
// after the connection belongs to another one, such as that which could have been reused.
func NamesStream(r *report.Report, o *report.Occurrence) bool {
	if o.Elsewhere || len(r.Capture.Inputs) != 1 || r.Capture.Count[capture.OutcomeFiltered] > 0 {
		return false
	}
	elsewise := func(c report.Caveat) bool {
		return c.Code == report.CaveatReordered || c.Code == report.CaveatQuoted
	}
	if slices.ContainsFunc(r.Caveats, elsewise) {
		return false
	}
	byID := func(c report.ConnInfo, id int) int { return cmp.Compare(c.ID, id) }
	i, found := slices.BinarySearchFunc(r.Conns, o.Connection, byID)
	if !found {
		return false
	}
	begin, end := r.Conns[i].Start, r.Conns[i].Start+r.Conns[i].Duration
	for k := range o.Evidence {
		if at := o.Evidence[k].Time; at < begin || at > end {
			return false
		}
	}
	return true
}

// filterFrames are the numbers of the evidence frames of one input, each once, in the order of
// evidence.
func filterFrames(evidence []report.Evidence) []string {
	var frames []string
	input := -1
	seen := map[capture.FrameID]bool{}
	for _, e := range evidence {
		if e.Frame.Number() == 0 || seen[e.Frame] || input >= 0 && e.Frame.Input() != input {
			continue
		}
		input = e.Frame.Input()
		seen[e.Frame] = true
		frames = append(frames, strconv.FormatUint(e.Frame.Number(), 10))
	}
	return frames
}
