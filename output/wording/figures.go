package wording

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// NoBreak joins a number and its unit until the lines have been broken; a page shows it as a space.
const NoBreak = "\u00a0"

// Duration is d for people: three significant digits, or whole minutes and seconds from two minutes
// on. Its spaces do not break.
func Duration(d time.Duration) string {
	if d < 0 {
		return "-" + Duration(-d)
	}
	return strings.ReplaceAll(spokenSize(d), " ", NoBreak)
}

func spokenSize(d time.Duration) string {
	switch {
	case d == 0:
		return "0 ms"
	case d < time.Microsecond:
		return "<0.001 ms"
	case d < time.Millisecond:
		return significant(d, time.Millisecond, 3) + " ms"
	case d < 9995*time.Microsecond:
		return significant(d, time.Millisecond, 2) + " ms"
	case d < 99950*time.Microsecond:
		return significant(d, time.Millisecond, 1) + " ms"
	case d < 999500*time.Microsecond:
		return significant(d, time.Millisecond, 0) + " ms"
	case d < 9995*time.Millisecond:
		return significant(d, time.Second, 2) + " s"
	case d < 2*time.Minute:
		return significant(d, time.Second, 1) + " s"
	}
	return spokenLong(d.Round(time.Second))
}

// spokenLong is d of two minutes or more.
func spokenLong(d time.Duration) string {
	if d < 2*time.Hour {
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%s h %d min", Grouped(uint64(d/time.Hour)), d%time.Hour/time.Minute)
}

// significant is d in the given unit with so many decimals.
func significant(d, unit time.Duration, decimals int) string {
	return strconv.FormatFloat(float64(d)/float64(unit), 'f', decimals, 64)
}

// Offset is d as a distance from a first frame: always milliseconds with three decimals, so that
// columns line up.
func Offset(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	us := uint64(d.Round(time.Microsecond) / time.Microsecond)
	return sign + Grouped(us/1000) + "." + strconv.FormatUint(1000+us%1000, 10)[1:] + NoBreak + "ms"
}

// Percent is part of whole as people say it; "" if there is no whole.
func Percent(part, whole time.Duration) string {
	if whole <= 0 || part < 0 {
		return ""
	}
	p := 100 * float64(part) / float64(whole)
	switch {
	case part == 0:
		return "0 %"
	case p < 1:
		return "<1 %"
	case p >= 99.5 && part < whole:
		return ">99 %"
	case part > whole: // a failure and its repetition may lie farther apart than both took
		return ">100 %"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + " %"
}

// Grouped is n, which is not negative, with a comma between groups of three digits.
func Grouped[N int | uint32 | uint64](n N) string {
	s := strconv.FormatUint(uint64(n), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Count is the number and its noun.
func Count[N int | uint32 | uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Grouped(n) + " " + many
}

// Times says how often.
func Times(n int) string {
	if n == 1 {
		return "once"
	}
	return Grouped(n) + NoBreak + "times"
}

// AppendMillis appends d in milliseconds, for programs: exact to the nanosecond, with at most six
// decimals and no trailing zeros. Parts that add up to a whole do so as written.
func AppendMillis(b []byte, d time.Duration) []byte {
	ns := uint64(d)
	if d < 0 {
		b = append(b, '-')
		ns = -ns
	}
	b = strconv.AppendUint(b, ns/1e6, 10)
	frac := ns % 1e6
	if frac == 0 {
		return b
	}
	at := len(b)
	b = strconv.AppendUint(b, 1e6+frac, 10)
	b[at] = '.' // in place of the 1 that kept the leading zeros
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}
