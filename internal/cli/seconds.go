package cli

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// seconds is a flag for a time: with its units as Go writes them, or a number of seconds.
type seconds struct{ to *time.Duration }

// String is the time as it is set.
func (s *seconds) String() string {
	if s.to == nil || *s.to == 0 {
		return ""
	}
	return s.to.String()
}

// Type names it for --help.
func (s *seconds) Type() string { return "duration" }

// Set reads a time.
func (s *seconds) Set(text string) error {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		ns := n * float64(time.Second)
		if math.IsNaN(ns) || math.Abs(ns) >= math.MaxInt64 {
			return fmt.Errorf("%s s is no time", text)
		}
		*s.to = time.Duration(ns)
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is no time; 90, 90s and 1m30s are", text)
	}
	*s.to = d
	return nil
}
