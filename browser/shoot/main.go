// Shoot makes a picture of a page: of the reports of this program, to look at, and for README.md.
//
//	go run ./shoot -width 390 -dark report.html picture.png
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patience is how long a picture may take.
const patience = time.Minute

// view is how the page is looked at.
type view struct {
	width, height int64
	from          float64
	dark          bool
	print         bool
	scriptOff     bool
	whole         bool
	before        string
}

func main() {
	var v view
	flag.Int64Var(&v.width, "width", 1040, "of the window, in pixels")
	flag.Int64Var(&v.height, "height", 800, "of the picture, in pixels")
	flag.Float64Var(&v.from, "from", 0, "where the picture begins, in pixels from above")
	flag.BoolVar(&v.dark, "dark", false, "as who prefers it dark")
	flag.BoolVar(&v.print, "print", false, "as printed")
	flag.BoolVar(&v.scriptOff, "noscript", false, "without script")
	flag.BoolVar(&v.whole, "whole", false, "all of the page, however high")
	flag.StringVar(&v.before, "before", "", "an expression of the page's that comes first")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "shoot: want a page and a picture")
		os.Exit(2)
	}
	if err := v.shoot(flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, "shoot:", err)
		os.Exit(1)
	}
}

// shoot writes the picture of a page.
func (v *view) shoot(name, picture string) error {
	name, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	browser, err := program()
	if err != nil {
		return err
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	ctx, stop = chromedp.NewExecAllocator(ctx, flags...)
	defer stop()
	ctx, stop = chromedp.NewContext(ctx)
	defer stop()
	var png []byte
	err = chromedp.Run(ctx, v.media(),
		emulation.SetDeviceMetricsOverride(v.width, v.height, 1, v.width < 600),
		emulation.SetScriptExecutionDisabled(v.scriptOff),
		chromedp.Navigate("file://"+name), chromedp.ActionFunc(v.prepare),
		chromedp.ActionFunc(func(ctx context.Context) (err error) {
			png, err = v.picture(ctx)
			return err
		}))
	if err != nil {
		return err
	}
	return os.WriteFile(picture, png, 0o644)
}

// media is what the page is told of its reader.
func (v *view) media() chromedp.Action {
	theme, medium := "light", "screen"
	if v.dark {
		theme = "dark"
	}
	if v.print {
		medium = "print"
	}
	return emulation.SetEmulatedMedia().WithMedia(medium).WithFeatures(
		[]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}})
}

// prepare does what the page is to show.
func (v *view) prepare(ctx context.Context) error {
	if v.before == "" {
		return nil
	}
	return chromedp.Evaluate(v.before, nil).Do(ctx)
}

// picture is a part of the page, or all of it.
func (v *view) picture(ctx context.Context) ([]byte, error) {
	clip := &page.Viewport{Y: v.from, Width: float64(v.width), Height: float64(v.height), Scale: 1}
	if v.whole {
		_, _, _, _, _, size, err := page.GetLayoutMetrics().Do(ctx)
		if err != nil {
			return nil, err
		}
		clip.Height = size.Height
	}
	return page.CaptureScreenshot().WithCaptureBeyondViewport(true).WithClip(clip).Do(ctx)
}

// program is the browser's path.
func program() (string, error) {
	names := []string{
		"chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser",
		"google-chrome",
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no browser: install one of %v", names)
}
