package sentence

import (
	"strconv"
	"strings"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
	"unicode/utf8"
)

// Sender names who sent a frame, if that is known.
func Sender(s report.Side) string {
	if s == report.SideUnknown {
		return ""
	}
	return s.String()
}

// FrameName is a frame's number, and its file if the evidence comes from several.
func (t *Teller) FrameName(f capture.FrameID, several bool) string {
	name := "frame " + strconv.FormatUint(f.Number(), 10)
	if several {
		name = t.FileName(f.Input()) + " " + name
	}
	return name
}

// SeveralFiles reports whether the evidence comes from more than one file.
func SeveralFiles(evidence []report.Evidence) bool {
	for i := range evidence {
		if evidence[i].Frame.Input() != evidence[0].Frame.Input() {
			return true
		}
	}
	return false
}

// FileName is a short name for an input: the last element of its path if no other input has the
// same, else its place on the command line, from 1.
func (t *Teller) FileName(input int) string {
	inputs := t.Report.Capture.Inputs
	if input >= len(inputs) {
		return "file " + strconv.Itoa(input+1)
	}
	base := BaseName(inputs[input].Name)
	for i := range inputs {
		if i != input && BaseName(inputs[i].Name) == base {
			return "file " + strconv.Itoa(input+1)
		}
	}
	return mask.Shorten(mask.Visible(base), fileRoom)
}

// pathRoom is how many characters of a path a headline has.
const pathRoom = 60

// pathName is a path in so many characters: of a long one the last folders that fit, since the
// first ones are those of all captures.
func pathName(path string, room int) string {
	name := mask.Visible(path)
	for at := 0; utf8.RuneCountInString(name) > room; {
		next := strings.IndexAny(path[at:], `/\`)
		if next < 0 {
			return mask.Shorten(name, room)
		}
		at += next + 1
		name = mask.Hidden + path[at-1:at] + mask.Visible(path[at:])
	}
	return name
}

// BaseName is a path's last element, whichever way its slashes lean.
func BaseName(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// Place says in which exchange or connection an occurrence lies.
func (t *Teller) Place(o *report.Occurrence) string {
	if o.Exchange < 0 {
		return "connection " + strconv.Itoa(o.Connection) + " at " + wording.Duration(o.Start)
	}
	s := "exchange " + strconv.Itoa(o.Exchange)
	if x := t.Exchange(o.Exchange); x != nil {
		s += ", " + wording.Request(x, t.ShowQuery, targetRoom-24)
		if x.Duration > 0 {
			s += ", " + wording.Duration(x.Duration)
		}
	}
	return s
}

// Exchange is the listed exchange of that ID, nil if it was not listed.
func (t *Teller) Exchange(id int) *report.ExchangeInfo {
	for i := range t.Report.Exchanges {
		if t.Report.Exchanges[i].ID == id {
			return &t.Report.Exchanges[i]
		}
	}
	return nil
}
