package cli

import (
	"context"
	"slices"

	"tcpwhy/analysis"
	"tcpwhy/capture"
)

// pictured are the options of an analysis of which a format is to draw pictures. Which connections
// are worth that is known only when everything has been read, so files are read twice; standard
// input cannot be.
func (o *options) pictured(
	open func() (capture.Source, error), options []analysis.Option,
) ([]analysis.Option, error) {
	format := o.as()
	if format.Graphs == nil || slices.Contains(o.inputs, "-") {
		return options, nil
	}
	src, err := open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	report, _ := analysis.Run(
		context.Background(),
		src,
		options...) // an error of reading shows again
	if report == nil {
		return options, nil
	}
	return append(slices.Clip(options), analysis.WithGraphs(format.Graphs(report)...)), nil
}
