package analysis_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// corked is a capture that this project comes with: a server holds the end of each answer back.
const corked = "../testdata/pcaps/cork-kept-rtt10/capture.pcap"

func ExampleRun() {
	src, err := capture.Open(capture.Config{Inputs: []string{corked}})
	if err != nil {
		log.Fatal(err)
	}
	defer src.Close()

	// However long the capture is, there is a report of what was read in a minute.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := analysis.Run(ctx, src, analysis.WithMinSeverity(report.High))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.ExchangeCount, "exchanges on", r.Connections, "connection")
	for _, f := range r.Findings {
		fmt.Printf("%s, %d times: %v\n", f.Rule, f.Count, f.Cost.Expected.Round(time.Millisecond))
		fmt.Println("from", f.Client, "to", f.Server)
	}
	// Output:
	// 6 exchanges on 1 connection
	// cork, 5 times: 1.184s
	// from 10.9.0.1 to 10.9.0.2:8080
}

func ExampleOnFinding() {
	file, err := os.Open(corked)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	src, err := capture.Open(capture.Config{Inputs: []string{"-"}, Stdin: file})
	if err != nil {
		log.Fatal(err)
	}
	defer src.Close()

	_, err = analysis.Run(context.Background(), src,
		analysis.WithRules([]string{"cork"}, nil),
		analysis.OnFinding(func(f *report.Finding) {
			o := f.Occurrences[0]
			fmt.Println(f.Rule, "held", (o.End - o.Start).Round(time.Millisecond))
		}))
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// cork held 270ms
	// cork held 230ms
	// cork held 230ms
	// cork held 230ms
	// cork held 226ms
}

func ExamplePartial_Merge() {
	// Two hosts that have nothing to do with each other, each with what it recorded.
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	known := func(name string) *analysis.Partial {
		src, err := capture.Open(capture.Config{
			Recordings: []capture.Recording{capture.FS(os.DirFS("../testdata/pcaps"), name)},
			Start:      func(time.Time) time.Time { return start },
		})
		if err != nil {
			log.Fatal(err)
		}
		defer src.Close()
		part := &analysis.Partial{}
		_, err = analysis.Run(context.Background(), src,
			analysis.WithPartial(part, analysis.PartBy{
				Program: "example",
				Host:    func(s string) string { return s },
				Target:  func(s string) string { path, _, _ := strings.Cut(s, "?"); return path },
			}))
		if err != nil {
			log.Fatal(err)
		}
		return part
	}
	all := known("cork-kept-rtt10/capture.pcap")

	// What is known may be kept, or sent.
	octets, err := known("connection-refused-restart-rtt50/capture.pcap").AppendBinary(nil)
	if err != nil {
		log.Fatal(err)
	}
	var other analysis.Partial
	if err := other.UnmarshalBinary(octets); err != nil {
		log.Fatal(err)
	}
	if err := all.Merge(&other); err != nil {
		log.Fatal(err)
	}
	r, err := all.Report(report.Medium)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range r.Stories {
		fmt.Println(s.Rule, s.Severity)
	}
	fmt.Println(errors.Is(all.Merge(&other), analysis.ErrOverlap))
	// Output:
	// cork high
	// connection-refused medium
	// true
}
