//go:build linux

// Package score analyses recordings with the program, and holds its reports against what the
// scenarios expect, what the cures saved, and what the kernel says of itself.
package score

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"tcpwhy/lab/internal/recording"
	"tcpwhy/lab/internal/scenario"
)

// accuracyFile is where the scoreboard is kept.
const accuracyFile = "docs/accuracy.md"

// Check analyses the recordings below lab/out and scores what the program says. Only a run over all
// scenarios, but for the pending ones, writes docs/accuracy.md.
func Check(ctx context.Context, chosen []scenario.Scenario, all bool) error {
	program, err := buildProgram(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(filepath.Dir(program))
	var score board
	for _, s := range chosen {
		if all && s.Expect.Pending {
			continue
		}
		if !recording.Made(s.Name) {
			fmt.Fprintf(os.Stderr, "lab: %s is not recorded\n", s.Name)
			continue
		}
		v, err := judge(ctx, program, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		score.add(v)
		fmt.Println(v.line())
	}
	text := score.text()
	fmt.Print("\n" + text)
	if !all {
		return nil
	}
	return os.WriteFile(accuracyFile, []byte(text), 0o644)
}
