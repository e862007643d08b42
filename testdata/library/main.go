// Command library is a program of another module: it analyses captures apart, tells of each finding
// as soon as it is certain, puts what is known of them together, and says what was lost.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	all := &analysis.Partial{}
	for i, name := range os.Args[2:] {
		part, err := analyse(ctx, capture.FS(os.DirFS(os.Args[1]), name))
		if err == nil && i == 0 {
			all = part
		} else if err == nil {
			err = all.Merge(part)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	r, err := all.Report(report.Low)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d parts, %d connections, %d exchanges\n", r.Parts, r.Connections, r.ExchangeCount)
	for i := range r.Stories {
		s := &r.Stories[i]
		fmt.Println(s.Rule, s.Count, s.Cost.Expected.Round(time.Millisecond))
	}
}

// analyse analyses one recording as a part whose times count from a day that all have.
func analyse(ctx context.Context, from capture.Recording) (*analysis.Partial, error) {
	day := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	src, err := capture.Open(capture.Config{
		Recordings: []capture.Recording{from},
		Start:      func(time.Time) time.Time { return day },
	})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	found := map[string]bool{}
	part := &analysis.Partial{}
	_, err = analysis.Run(ctx, src,
		analysis.WithWorkers(2),
		analysis.WithLimits(analysis.Limits{Listed: 100}),
		analysis.OnFinding(func(f *report.Finding) { found[f.Rule] = true }),
		analysis.WithPartial(part, analysis.PartBy{
			Program: "library", Host: asItIs,
			Target: func(t string) string { path, _, _ := strings.Cut(t, "?"); return path },
		}))
	fmt.Println(from.Name(), len(found), "rules found something")
	return part, err
}

func asItIs(s string) string { return s }
