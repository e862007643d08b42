package output

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// millis is a duration that JSON shows as milliseconds, exact to the nanosecond. It never goes
// through a floating point number, so that parts which add up to a whole still do so as printed.
type millis time.Duration

// MarshalJSONTo writes the number with at most six decimals and no trailing zeros.
func (m millis) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteValue(appendMillis(enc.AvailableBuffer(), time.Duration(m)))
}

// appendMillis appends d in milliseconds.
func appendMillis(b []byte, d time.Duration) []byte {
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

// optional is d, or null where zero means that it is not known.
func optional(d time.Duration) *millis {
	if d == 0 {
		return nil
	}
	m := millis(d)
	return &m
}

// spoken is d for people: three significant digits, or whole minutes and seconds from two minutes
// on. Its spaces do not break.
func spoken(d time.Duration) string {
	if d < 0 {
		return "-" + spoken(-d)
	}
	return strings.ReplaceAll(spokenSize(d), " ", nbsp)
}

// nbsp joins a number and its unit until the lines have been broken; a page shows it as a space.
const nbsp = "\u00a0"

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
		return strconv.Itoa(
			int(d/time.Minute),
		) + " min " + strconv.Itoa(
			int(d%time.Minute/time.Second),
		) + " s"
	}
	d = d.Round(time.Minute)
	return grouped(
		uint64(d/time.Hour),
	) + " h " + strconv.Itoa(
		int(d%time.Hour/time.Minute),
	) + " min"
}

// significant is d in the given unit with so many decimals.
func significant(d, unit time.Duration, decimals int) string {
	return strconv.FormatFloat(float64(d)/float64(unit), 'f', decimals, 64)
}

// offset is d as a distance from a first frame: always milliseconds with three decimals, so that
// columns line up.
func offset(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	us := uint64(d.Round(time.Microsecond) / time.Microsecond)
	return sign + grouped(us/1000) + "." + strconv.FormatUint(1000+us%1000, 10)[1:] + nbsp + "ms"
}

// percent is part of whole as people say it; "" if there is no whole.
func percent(part, whole time.Duration) string {
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

// grouped is n with a comma between groups of three digits.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural is the number and its noun.
func plural(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}
