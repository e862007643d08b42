package main

import (
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// Properties of captures with key logs.

// keyedScenario is one, with the lines of its log.
type keyedScenario struct {
	file  string
	lines []string
}

// keyedScenarios are those whose key log fits.
func keyedScenarios(t *testing.T) []keyedScenario {
	t.Helper()
	logs, err := filepath.Glob("testdata/pcaps/*-decrypted/keys.txt")
	if err != nil || len(logs) == 0 {
		t.Fatal("there are none", err)
	}
	var out []keyedScenario
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(filepath.Dir(log), "capture.pcap")
		out = append(out, keyedScenario{file, slices.Collect(strings.Lines(string(text)))})
	}
	return out
}

// analyse analyses the capture with a key log; without one if it has no lines.
func (s keyedScenario) analyse(t *testing.T, workers int, lines []string) *report.Report {
	t.Helper()
	src, err := capture.Open(capture.Config{Inputs: []string{s.file}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := analysis.Run(t.Context(), src, analysis.WithWorkers(workers),
		analysis.WithKeys(keyLog(strings.Join(lines, ""))),
		analysis.WithLimits(analysis.Limits{Occurrences: analysis.NoLimit}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// keyLog is a log with the given text; nil for none.
func keyLog(text string) *analysis.KeyLog {
	if text == "" {
		return nil
	}
	log := &analysis.KeyLog{}
	w := log.Writer()
	w.Write([]byte(text))
	w.End()
	return log
}

// changed is a line with a field in which one digit is another.
func changed(line string, field int) string {
	fields := strings.Fields(line)
	digit := "0"
	if fields[field][0] == '0' {
		digit = "1"
	}
	fields[field] = digit + fields[field][1:]
	return strings.Join(fields, " ") + "\n"
}

// TestWrongKeys has a wrong digit in each secret: the report is that without keys, and says so.
func TestWrongKeys(t *testing.T) {
	t.Parallel()
	bare := whole
	for _, s := range keyedScenarios(t) {
		var wrong []string
		for _, line := range s.lines {
			wrong = append(wrong, changed(line, 2))
		}
		without, with := s.analyse(t, 2, nil), s.analyse(t, 2, wrong)
		for i := range with.Conns {
			c := &with.Conns[i]
			n := slices.IndexFunc(c.Caveats, func(code string) bool {
				return code == "tls-bad-key" || code == "tls-suite"
			})
			if n < 0 {
				t.Errorf("%s: connection %d: %v", s.file, c.ID, c.Caveats)
				continue
			}
			c.Caveats = slices.Delete(slices.Clone(c.Caveats), n, n+1)
		}
		same(t, s.file, bare.digest(with), bare.digest(without))
	}
}

// TestOrderOfKeys shuffles a log, splits it, and puts it into the capture: nothing is another.
func TestOrderOfKeys(t *testing.T) {
	t.Parallel()
	for _, s := range keyedScenarios(t) {
		want := whole.digest(s.analyse(t, 1, s.lines))
		for seed := range uint64(3) {
			lines := slices.Clone(s.lines)
			random := rand.New(rand.NewPCG(seed, 1))
			random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
			same(t, "shuffled", whole.digest(s.analyse(t, int(seed)+1, lines)), want)
		}
		data, err := os.ReadFile(s.file)
		if err != nil {
			t.Fatal(err)
		}
		file := withSecrets(parseTrace(t, data).pcapng(t), strings.Join(s.lines, ""))
		same(t, "in the capture", whole.digest(analyseData(t, file)), want)
	}
}

// withSecrets is a file of pcapng with a key log before its first frame.
func withSecrets(file []byte, log string) []byte {
	le := binary.LittleEndian
	first := le.Uint32(file[4:])
	body := le.AppendUint32([]byte("KSLT"), uint32(len(log)))
	body = append(append(body, log...), make([]byte, -len(log)&3)...)
	size := uint32(12 + len(body))
	block := append(le.AppendUint32(le.AppendUint32(nil, 10), size), body...)
	block = le.AppendUint32(block, size)
	return slices.Concat(file[:first], block, file[first:])
}

// TestKeysChangeNothingBelow: with and without keys the connections have the same segments, round
// trips and repetitions, and rules that look at no message find the same.
func TestKeysChangeNothingBelow(t *testing.T) {
	t.Parallel()
	reads := map[string]bool{}
	for _, r := range analysis.Rules() {
		reads[r.Name] = slices.Contains(
			[]string{"missed-reuse", "reset-after-data", "keepalive-race",
				"truncated-response", "half-close", "server-think", "pool-wait", "serial-requests",
				"pipelining", "header-misuse", "slow-close", "expect-continue", "capture-quality",
				"client-timeout", "http-errors"},
			r.Name,
		) || strings.HasPrefix(r.Name, "h2-") || strings.HasPrefix(r.Name, "grpc-")
	}
	for _, s := range keyedScenarios(t) {
		with, without := s.analyse(t, 1, s.lines), s.analyse(t, 1, nil)
		same(t, s.file+": connections", below(with), below(without))
		if strings.Contains(s.file, "early-data") {
			continue // only with keys it shows which copy of the request was answered
		}
		if slices.ContainsFunc(with.Conns, func(c report.ConnInfo) bool { return c.HTTP2 != nil }) {
			// which streams there are, keys tell; what limits the connection they do not hide
			wantLimits(t, s.file, with, without)
			graveWithKeys(t, s.file, with, without, reads)
			continue
		}
		told := maps.Clone(reads)
		told["tls-handshake"] = ownSetup(with) != ownSetup(without)
		same(t, s.file+": findings", foundBelow(with, told), foundBelow(without, told))
	}
}

// ownSetup reports whether connections opened anew are a remark alone, as each is of a program run
// anew, which requests show: then what was slow in their handshakes counts by itself.
func ownSetup(r *report.Report) bool {
	return slices.ContainsFunc(r.Findings, func(f report.Finding) bool {
		return f.Rule == "missed-reuse" && f.Severity == report.Info
	})
}

// wantLimits wants what is found without keys to limit connections that streams share to be found
// with them, too: what seems to be slow start without them may be flow control of HTTP/2.
func wantLimits(t *testing.T, file string, with, without *report.Report) {
	t.Helper()
	found := map[string]bool{}
	for i := range with.Findings {
		found[with.Findings[i].Rule] = true
	}
	for i := range without.Findings {
		switch rule := without.Findings[i].Rule; rule {
		case "bandwidth", "receive-window", "send-buffer", "slow-start":
			if !found[rule] && !(rule == "slow-start" && found["h2-flow-control"]) {
				t.Errorf("%s: with keys nothing of %s is found", file, rule)
			}
		}
	}
}

// graveWithKeys: what is of medium severity and above without keys, of rules that look at no
// message, is found with them, too; of slow start wantLimits tells.
func graveWithKeys(t *testing.T, file string, with, without *report.Report, reads map[string]bool) {
	t.Helper()
	was := worst(with)
	told := func(prefix string) bool {
		return slices.ContainsFunc(slices.Collect(maps.Keys(was)),
			func(k string) bool { return strings.HasPrefix(k, prefix) })
	}
	for key, s := range worst(without) {
		name, _, _ := strings.Cut(key, "/")
		if key == "tls-alert/hidden" && told("tls-alert/") {
			continue // keys tell what it says
		}
		if _, found := was[key]; !found && s >= report.Medium && !reads[name] &&
			name != "slow-start" && !otherwise(key, s, was) {
			t.Errorf("%s: %s is %v, and is not found with keys", file, key, s)
		}
	}
}

// below is what a report says of TCP.
func below(r *report.Report) []string {
	for i := range r.Conns {
		c := &r.Conns[i]
		c.Caveats, c.Exchanges, c.Times = nil, nil, nil
		c.Protocol = 0
	}
	only := report.Report{Conns: r.Conns}
	return whole.digest(&only)
}

// foundBelow is what rules found that look at no message.
func foundBelow(r *report.Report, reads map[string]bool) []string {
	var out []string
	for i := range r.Findings {
		f := r.Findings[i]
		if !reads[f.Rule] {
			out = append(out, f.Rule+"/"+f.Cause+" "+f.Cost.Expected.Round(2e6).String())
		}
	}
	return out
}
