package json

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tcpwhy/analysis/report"
	"tcpwhy/output/wording"
)

// millis is a duration that JSON shows as milliseconds, exact to the nanosecond. It never goes
// through a floating point number, so that parts which add up to a whole still do so as printed.
type millis time.Duration

// decimals are the digits of a nanosecond behind the point.
const decimals = 6

// appendTo appends the number with at most six decimals and no trailing zeros; null for nil.
func (m *millis) appendTo(b []byte) []byte {
	if m == nil {
		return append(b, null...)
	}
	return wording.AppendMillis(b, time.Duration(*m))
}

// UnmarshalJSONFrom reads the number.
func (m *millis) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	d, ok := parseMillis(string(v))
	if !ok {
		return fmt.Errorf("%s is no number of milliseconds", v)
	}
	*m = millis(d)
	return nil
}

// parseMillis reads milliseconds: to the nanosecond as appendMillis writes them, rounded to one if
// another program has put them in another way.
func parseMillis(number string) (time.Duration, bool) {
	whole, fraction, _ := strings.Cut(number, ".")
	if len(fraction) <= decimals && !strings.ContainsAny(number, "eE") {
		zeros := strings.Repeat("0", decimals-len(fraction))
		ns, err := strconv.ParseInt(whole+fraction+zeros, 10, 64)
		return time.Duration(ns), err == nil
	}
	ms, err := strconv.ParseFloat(number, 64)
	ns := math.Round(ms * 1e6)
	return time.Duration(ns), err == nil && math.Abs(ns) < math.MaxInt64
}

// optional is what d points to, or null where zero means that it is not known.
func optional(d *time.Duration) *millis {
	if *d == 0 {
		return nil
	}
	return (*millis)(d)
}

// labelTimes is an object from label to milliseconds, its keys in the order of the labels.
type labelTimes []report.LabelTime

// appendTo leaves out the labels that got no time.
func (t labelTimes) appendTo(b []byte) []byte {
	b = append(b, '{')
	first := len(b)
	for _, part := range t {
		if part.Time == 0 {
			continue
		}
		if len(b) > first {
			b = append(b, ',')
		}
		b = append(appendString(b, part.Label.String()), ':')
		b = wording.AppendMillis(b, part.Time)
	}
	return append(b, '}')
}

// UnmarshalJSONFrom reads the labels in the order in which they stand.
func (t *labelTimes) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return members(dec, func(name string) error {
		l, ok := report.ParseLabel(name)
		if !ok {
			return fmt.Errorf("no label is called %q", name)
		}
		var d millis
		err := d.UnmarshalJSONFrom(dec)
		*t = append(*t, report.LabelTime{Label: l, Time: time.Duration(d)})
		return err
	})
}
