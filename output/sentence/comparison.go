package sentence

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tcpwhy/analysis/compare"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
)

// Compared is what two reports are, and how much of them is compared.
func Compared(c *compare.Comparison) string {
	before, after := comparedNames(c.Before.Name, c.After.Name)
	return before + ": " + wording.Count(c.Before.ExchangeCount, "exchange", "exchanges") + "; " +
		after + ": " + wording.Count(c.After.ExchangeCount, "exchange", "exchanges") + "; " +
		wording.Count(len(c.Endpoints), "endpoint", "endpoints") + " in both"
}

// comparedNames are the names of the two sides, without the folders that both are in: two that are
// not the same stay so.
func comparedNames(before, after string) (b, a string) {
	common := sameFolder(before, after)
	before, after = before[common:], after[common:]
	b, a = pathName(before, pathRoom), pathName(after, pathRoom)
	if a == b && after != before {
		b, a = mask.Shorten(mask.Visible(before), pathRoom), mask.Shorten(mask.Visible(after), pathRoom)
	}
	return b, a
}

// sameFolder is how many octets of two names are the folders that both are in.
func sameFolder(a, b string) int {
	folder := 0
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i] && a[i] != ','; i++ {
		if a[i] == '/' || a[i] == '\\' {
			folder = i + 1
		}
	}
	return folder
}

// Changed is what somebody reads who reads nothing else: how much faster or slower, what came and
// what went. Warnings belong before it.
func Changed(c *compare.Comparison) []Line {
	var all lines
	all.add(Main, shifted(c))
	for _, v := range []struct {
		verdict compare.Verdict
		weight  Weight
		form    string
	}{{compare.Slower, Grave, "slower"}, {compare.Faster, Usual, "faster"}} {
		if names := named(c, v.verdict); len(names) > 0 && (len(c.Endpoints) > 1 || !different(c)) {
			all.add(v.weight, wording.Capital(v.form)+": "+listed(names)+".")
		}
	}
	all.add(Grave, failing(c, compare.Slower, "Fails more often"))
	all.add(Usual, failing(c, compare.Faster, "Fails less often"))
	for _, change := range []struct {
		compare.Change
		words string
	}{{compare.New, "New"}, {compare.More, "More of"}, {compare.Gone, "Gone"}, {compare.Less, "Less of"}} {
		all.add(came(c, change.Change, change.words))
	}
	return all
}

// shifted is the difference over all endpoints.
func shifted(c *compare.Comparison) string {
	s := c.Shift
	if s == nil {
		if len(c.Endpoints) == 0 {
			return "Nothing can be compared."
		}
		return "There are too few exchanges to say whether anything became faster or slower."
	}
	whole := base(c)
	switch {
	case s.High < 0 && different(c):
		return fmt.Sprintf("Faster: %s less for each exchange (95 %%: %s to %s less)%s.",
			wording.Duration(-s.Estimate), wording.Duration(-s.High), wording.Duration(-s.Low),
			share(-s.Estimate, whole))
	case s.Low > 0 && different(c):
		return fmt.Sprintf("Slower: %s more for each exchange (95 %%: %s to %s more)%s.",
			wording.Duration(s.Estimate), wording.Duration(s.Low), wording.Duration(s.High),
			share(s.Estimate, whole))
	case different(c):
		return "Some endpoints differ, and not all to the same side."
	case len(named(c, compare.Slower)) > 0:
		return "Slower on the whole, though most exchanges take as long as before."
	case len(named(c, compare.Faster)) > 0:
		return "Faster on the whole, though most exchanges take as long as before."
	}
	return "No difference is shown: for each exchange it lies between " + Signed(s.Low) + " and " +
		Signed(s.High) + " (95 %)."
}

// different reports whether any endpoint is.
func different(c *compare.Comparison) bool {
	for i := range c.Endpoints {
		if v := c.Endpoints[i].Verdict; v == compare.Faster || v == compare.Slower {
			return true
		}
	}
	return false
}

// base is the median before, over the endpoints that have a shift, weighted as that is.
func base(c *compare.Comparison) time.Duration {
	sum, n := 0.0, 0
	for i := range c.Endpoints {
		e := &c.Endpoints[i]
		if e.Shift != nil && !e.Behind {
			sum += float64(e.Before.Durations.Median()) * float64(e.Before.Exchanges)
			n += e.Before.Exchanges
		}
	}
	return time.Duration(sum / float64(max(n, 1)))
}

// share is what part of a whole a difference is; of a larger one, how many times as long that
// makes.
func share(part, whole time.Duration) string {
	if whole > 0 && part > whole {
		return fmt.Sprintf(", %.1f times as long", float64(whole+part)/float64(whole))
	}
	if text := wording.Percent(part, whole); text != "" {
		return ", " + text
	}
	return ""
}

// Signed is a difference with its sign.
func Signed(d time.Duration) string {
	switch {
	case d > 0:
		return "+" + wording.Duration(d)
	case d < 0:
		return "−" + wording.Duration(-d)
	}
	return wording.Duration(d)
}

// mostNames is how many names a line lists.
const mostNames = 3

// named are the endpoints of a verdict.
func named(c *compare.Comparison, v compare.Verdict) (names []string) {
	for i := range c.Endpoints {
		if e := &c.Endpoints[i]; e.Verdict == v ||
			e.Verdict <= compare.Alike && (e.Average == v || e.Tail == v) {
			name := ComparedName(c, e)
			switch {
			case e.Verdict == v:
			case e.Average == v:
				name += " on average (" + wording.Duration(e.Before.Mean()) + " -> " +
					wording.Duration(e.After.Mean()) + ")"
			default:
				name += " at the 95th percentile"
			}
			names = append(names, name)
		}
	}
	return names
}

// listed is the first of names, and how many more there are.
func listed(names []string) string {
	text := strings.Join(names[:min(len(names), mostNames)], ", ")
	if more := len(names) - mostNames; more > 0 {
		text += " and " + wording.Grouped(more) + " more"
	}
	return text
}

// failing says of which endpoints more exchanges fail, or fewer.
func failing(c *compare.Comparison, v compare.Verdict, words string) string {
	var names []string
	for i := range c.Endpoints {
		if e := &c.Endpoints[i]; e.Failing == v || e.Erring == v {
			names = append(names, ComparedName(c, e))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return words + ": " + listed(names) + "."
}

// came is what became of findings in one way, as a line.
func came(c *compare.Comparison, change compare.Change, words string) (Weight, string) {
	weight := Usual
	var names []string
	for i := range c.Findings {
		f := &c.Findings[i]
		if f.Change != change || f.Why != "" || f.Known {
			continue
		}
		if f.Regression {
			weight = Grave
		}
		name := mask.Visible(f.Title)
		if cost := max(f.Before.Cost, f.After.Cost); cost > 0 {
			name += " (" + wording.Duration(cost) + ")"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return weight, ""
	}
	return weight, words + ": " + listed(names) + "."
}

// ComparedName is the name of an endpoint of a comparison, with its service if there are several.
func ComparedName(c *compare.Comparison, e *compare.Endpoint) string {
	several := false
	for i := range c.Endpoints {
		several = several || c.Endpoints[i].Service != e.Service
	}
	name := mask.ASCII(e.Method)
	if e.Method == "" && e.Template == "" {
		if e.Service == "" {
			return "all"
		}
		return mask.Host(e.Service)
	}
	if several && e.Service != "" {
		name += " " + mask.Host(e.Service)
	}
	name += " " + mask.Target(e.Template, false, longName)
	if e.Behind {
		name += " (behind the proxy)"
	}
	return name
}

// Verdicts are what the numbers of an endpoint bear, in words.
func Verdicts(e *compare.Endpoint) string {
	var all []string
	switch e.Verdict {
	case compare.TooFew:
		all = append(all, "too few")
	case compare.Alike:
		if e.Tail <= compare.Alike && e.Average <= compare.Alike {
			all = append(all, "no difference")
		}
		if e.Average > compare.Alike {
			all = append(all, e.Average.String()+" on average")
		}
	default:
		all = append(all, e.Verdict.String())
	}
	if e.Tail == compare.Faster || e.Tail == compare.Slower {
		all = append(all, e.Tail.String()+" at 95 %")
	}
	switch e.Failing {
	case compare.Slower:
		all = append(all, "more failures")
	case compare.Faster:
		all = append(all, "fewer failures")
	}
	switch e.Erring {
	case compare.Slower:
		all = append(all, "more errors")
	case compare.Faster:
		all = append(all, "fewer errors")
	}
	return strings.Join(all, ", ")
}

// Interval is a shift with its interval.
func Interval(s *compare.Shift) string {
	return Signed(s.Estimate) + " (" + Signed(s.Low) + " to " + Signed(s.High) + ")"
}

// Values are the durations of a sample that is too small for anything else.
func Values(s *compare.Sample) string {
	var all []string
	for _, t := range s.Durations.Few[:min(len(s.Durations.Few), 2*mostNames)] {
		all = append(all, wording.Duration(t))
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// Became is what became of a finding, as a word.
func Became(f *compare.Finding) string {
	switch f.Change {
	case compare.NotSeen:
		return "not seen again"
	case compare.Still:
		return "still there"
	}
	return f.Change.String()
}

// HowMuch is how much there was of a finding before and after, and how sure that is.
func HowMuch(f *compare.Finding) string {
	text := rate(&f.Before) + " -> " + rate(&f.After) + " exchange" +
		plural(f.After.Exchanges)
	if f.Before.Cost > 0 || f.After.Cost > 0 {
		text += "; " + wording.Duration(
			f.Before.Each(),
		) + " -> " + wording.Duration(
			f.After.Each(),
		) +
			" for each"
	}
	if f.Service != "" {
		text += "; " + mask.Host(f.Service)
	}
	if f.Why != "" {
		text += "; " + mask.Visible(f.Why)
	}
	if f.Known {
		text += "; known"
	}
	return text
}

// rate is how many of all were affected, and the interval of that share.
func rate(o *compare.Occurred) string {
	return fmt.Sprintf("%s of %s (%s to %s %%)", wording.Grouped(o.Affected),
		wording.Grouped(o.Exchanges), percent(o.Low, o.High), percent(o.High, o.High))
}

// plural is the ending of the word for n of something.
func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// percent is a share in percent, with as many decimals as the larger one of an interval needs.
func percent(share, larger float64) string {
	decimals := 0
	for at := larger; at < 0.1 && decimals < 3; at *= 10 {
		decimals++
	}
	return strconv.FormatFloat(100*share, 'f', decimals, 64)
}

// Shifts are the labels whose time changed by as much as anybody looks at: by a hundredth of an
// exchange, and at most ten.
func Shifts(c *compare.Comparison) []compare.Spent {
	const parts, rows = 100, 10
	var whole time.Duration
	for _, s := range c.Times {
		whole += max(s.Before, s.After)
	}
	n := 0
	for n < min(len(c.Times), rows) && parts*(c.Times[n].After-c.Times[n].Before).Abs() >= whole {
		n++
	}
	return c.Times[:n]
}

// MoreShifts says how many labels are not among those.
func MoreShifts(n int) string {
	return wording.Count(n, "label", "labels") + " changed by less"
}
