package html

import (
	"fmt"
	"html/template"
	"strings"

	"tcpwhy/analysis/report"
)

// family is who or what made somebody wait: what colour says. Patterns tell the labels of a family
// apart, so that nobody needs to tell two tints from each other.
type family uint8

const (
	famNone family = iota // not known
	famSetup
	famServer
	famClient
	famPath // nobody's fault
	famQueue
	famWindow // congestion window
	famReceive
	famLoss
	famHold
	famIdle
	families
)

// palette are the names of families in the style sheet, and their colours on white and on black.
// Any two differ by at least 10.9 in OKLab, also for eyes that see no red, no green or no blue.
var palette = [families]struct{ name, light, dark string }{
	famNone:    {"none", "#ffffff", "#11161c"},
	famSetup:   {"setup", "#1c4778", "#9cc7fd"},
	famServer:  {"server", "#00745f", "#47fdde"},
	famClient:  {"client", "#452d16", "#b79f8b"},
	famPath:    {"path", "#afb8c1", "#6e7782"},
	famQueue:   {"queue", "#5a8ae7", "#6a8dfe"},
	famWindow:  {"window", "#eeba11", "#f6ea49"},
	famReceive: {"receive", "#c8802c", "#fca50c"},
	famLoss:    {"loss", "#c52107", "#f94920"},
	famHold:    {"hold", "#ed34a8", "#e24ec5"},
	famIdle:    {"idle", "#e3e8ed", "#2a333d"},
}

// chrome are the other colours of the page.
var chrome = [...]struct{ name, light, dark string }{
	{"page", "#ffffff", "#11161c"}, {"panel", "#f6f8fa", "#181f27"}, {"rule", "#d9dfe6", "#2c3641"},
	{"ink", "#1a1f26", "#e7ecf1"}, {"grey", "#586270", "#9fabb8"}, {"sack", "#7a3e9d", "#c9a0e8"},
	{"critical", "#8f1010", "#ff6b5e"}, {"high", "#c4321c", "#ef5b41"},
	{"medium", "#8a5200", "#f0b04d"}, {"low", "#4a6785", "#86a9cc"}, {"info", "#586270", "#9fabb8"},
}

// pattern is what is drawn over a family's colour.
type pattern uint8

const (
	solid pattern = iota
	horizontal
	vertical
	slash
	backslash
	crosses
	grid
	dots
)

// shapes are one tile of each pattern: its attributes, and what is in it.
var shapes = [...]struct{ attributes, lines string }{
	horizontal: {`width="6" height="6"`, `M0 3H6`},
	vertical:   {`width="6" height="6"`, `M3 0V6`},
	slash:      {`width="7" height="7" patternTransform="rotate(45)"`, `M3.5 0V7`},
	backslash:  {`width="7" height="7" patternTransform="rotate(-45)"`, `M3.5 0V7`},
	crosses:    {`width="9" height="9"`, `M2 2L7 7M7 2L2 7`},
	grid:       {`width="7" height="7"`, `M0 3.5H7M3.5 0V7`},
	dots:       {`width="6" height="6"`, `M3 2v2`},
}

// look is how time with a label looks.
type look struct {
	family
	pattern
}

// looks are those of all labels: no two are the same.
var looks = [report.LabelCount]look{
	report.Unknown:        {famNone, crosses},
	report.CaptureGap:     {famNone, vertical},
	report.PreconnectIdle: {famIdle, horizontal},
	report.DNS:            {famSetup, vertical},
	report.QUICTried:      {famSetup, crosses},
	report.TCPHandshake:   {famSetup, solid},
	report.SYNRetx:        {famLoss, vertical},
	report.SYNACKRetx:     {famLoss, backslash},
	report.TLSRTT:         {famSetup, horizontal},
	report.TLSServer:      {famServer, horizontal},
	report.TLSClient:      {famClient, vertical},
	report.ProxyConnect:   {famSetup, slash},
	report.ReqApp:         {famClient, solid},
	report.Think:          {famServer, solid},
	report.Think100:       {famServer, slash},
	report.RoundTrip:      {famPath, solid},
	report.Queue:          {famQueue, solid},
	report.Serialize:      {famPath, horizontal},
	report.Paced:          {famPath, slash},
	report.SlowStart:      {famWindow, solid},
	report.SlowStartIdle:  {famWindow, slash},
	report.CongAvoid:      {famWindow, horizontal},
	report.RecoveryCwnd:   {famWindow, backslash},
	report.SendLimit:      {famWindow, vertical},
	report.RWnd:           {famReceive, horizontal},
	report.ZeroWindow:     {famReceive, solid},
	report.FastRetx:       {famLoss, horizontal},
	report.RTO:            {famLoss, solid},
	report.TLP:            {famLoss, slash},
	report.LostRetx:       {famLoss, crosses},
	report.SpuriousRetx:   {famLoss, dots},
	report.NagleRTT:       {famHold, horizontal},
	report.NagleDelack:    {famHold, solid},
	report.DelackCwnd:     {famHold, slash},
	report.Cork:           {famHold, vertical},
	report.AppPaced:       {famClient, slash},
	report.HostStopped:    {famClient, crosses},
	report.ClientThink:    {famClient, horizontal},
	report.IdleReusable:   {famIdle, solid},
	report.IdleUnusable:   {famIdle, slash},
	report.PipelineHOL:    {famQueue, slash},
	report.H2Mux:          {famQueue, horizontal},
	report.H2Window:       {famReceive, slash},
	report.H2HOL:          {famLoss, grid},
	report.StreamLimit:    {famReceive, vertical},
	report.StreamIdle:     {famIdle, dots},
	report.Closing:        {famIdle, vertical},
	report.Tunnel:         {famIdle, crosses},
}

// labelClass is the class of shapes that stand for time with a label.
func labelClass(l report.Label) string { return fmt.Sprintf("l%d", l) }

// labelFill is what such a shape is filled with where there is no style sheet.
func labelFill(l report.Label) string {
	if looks[l].pattern == solid {
		return palette[looks[l].family].light
	}
	return fmt.Sprintf("url(#L%d)", l)
}

// paletteCSS is the part of the style sheet that follows from the tables: colours by day and by
// night (paper is white at any time), and what the labels are filled with.
func paletteCSS() string {
	var light, dark, rules strings.Builder
	for _, c := range chrome {
		fmt.Fprintf(&light, "--%s:%s;", c.name, c.light)
		fmt.Fprintf(&dark, "--%s:%s;", c.name, c.dark)
	}
	for _, f := range palette {
		fmt.Fprintf(&light, "--%s:%s;", f.name, f.light)
		fmt.Fprintf(&dark, "--%s:%s;", f.name, f.dark)
		fmt.Fprintf(&rules, ".c-%s{fill:var(--%s)}\n", f.name, f.name)
	}
	for l, k := range looks {
		if k.pattern == solid {
			fmt.Fprintf(&rules, ".l%d{fill:var(--%s)}\n", l, palette[k.family].name)
		}
	}
	return fmt.Sprintf(":root{%s--band:.13}\n@media screen and (prefers-color-scheme:dark)"+
		"{:root:not([data-theme=light]){%s--band:.2}}\n"+
		"@media screen{:root[data-theme=dark]{%s--band:.2}}\n%s",
		light.String(), dark.String(), dark.String(), rules.String())
}

// patterns are the definitions of all patterns; nothing of them comes from a report.
func patterns() template.HTML {
	var b strings.Builder
	for l, k := range looks {
		if k.pattern == solid {
			continue
		}
		f, shape, class, colour := palette[k.family], shapes[k.pattern], "pl", "#fff"
		switch {
		case report.Label(l) == report.RecoveryCwnd:
			class, colour = "ps", palette[famLoss].light
		case k.family == famNone:
			class, colour = "pg", "#586270"
		case k.family == famIdle:
			class, colour = "pg", "#9fabb8"
		}
		fmt.Fprintf(&b, `<pattern id="L%d" patternUnits="userSpaceOnUse" %s>`, l, shape.attributes)
		fmt.Fprintf(&b, `<rect width="9" height="9" fill="%s" class="c-%s"/>`, f.light, f.name)
		fmt.Fprintf(
			&b,
			`<path d="%s" class="%s" stroke="%s" stroke-width="2" fill="none"/></pattern>`,
			shape.lines,
			class,
			colour,
		)
	}
	return template.HTML(b.String())
}
