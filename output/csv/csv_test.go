package csv

import (
	"encoding/csv"
	"math/big"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/internal/sample"
)

// read is the table of a report.
func read(t *testing.T, r *report.Report) [][]string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, r, Options{}); err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// cell is that of a line and a name.
func cell(t *testing.T, all [][]string, line int, name string) string {
	t.Helper()
	for i, n := range all[0] {
		if n == name {
			return all[line][i]
		}
	}
	t.Fatalf("there is no column %s", name)
	return ""
}

// TestTable: there is a line for each exchange, and its labels add up to what it took.
func TestTable(t *testing.T) {
	r := sample.Report()
	all := read(t, r)
	if len(all) != 1+len(r.Exchanges) {
		t.Fatalf("%d lines", len(all))
	}
	sum := new(big.Rat)
	for _, l := range report.Labels() {
		part, ok := new(big.Rat).SetString(cell(t, all, 1, l.String()+"_ms"))
		if !ok {
			t.Errorf("%s is no number", l)
			continue
		}
		sum.Add(sum, part)
	}
	want := new(big.Rat).SetFrac64(int64(r.Exchanges[0].Duration), int64(time.Millisecond))
	if took, _ := new(big.Rat).SetString(cell(t, all, 1, "duration_ms")); sum.Cmp(took) != 0 ||
		took.Cmp(want) != 0 {
		t.Errorf("the labels add up to %s, the duration is %s, want %s", sum, took, want)
	}
	if got := cell(t, all, 2, "findings"); got != "nagle-delayed-ack/request" {
		t.Errorf("the findings are %q", got)
	}
}

// TestFormulas: a spreadsheet takes no cell for a formula, and no text gets out of its cell.
func TestFormulas(t *testing.T) {
	for _, hostile := range []string{
		`=HYPERLINK("http://x.example")`, "+1", "-1", "@SUM(A1)", "a\",\"b\nc,d", "\t=1",
	} {
		r := sample.Report()
		r.Exchanges[0].Method, r.Exchanges[0].Host = hostile, hostile
		all := read(t, r)
		if len(all) != 1+len(r.Exchanges) {
			t.Fatalf("%q: %d lines", hostile, len(all))
		}
		for _, c := range all[1] {
			if c != "" && strings.ContainsRune("=+-@\t\r", rune(c[0])) {
				t.Errorf("%q: a cell is %q", hostile, c)
			}
		}
	}
}
