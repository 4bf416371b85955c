package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/picture"
	"github.com/tamthe/tamthe/card/picture/openjpeg"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
)

// reasonNoDecoder is why a picture in a coding that nothing here decodes is not shown.
const reasonNoDecoder = "no-decoder"

// raster is an image of a data group as it lies there. Uncompressed ones have no coding
// and are Width by Height octets.
type raster struct {
	octets        []byte
	width, height int
}

// draw writes a PNG beside each file with pictures: DG2.png, DG2-2.png and so on. The files
// must be proven. A picture that can't be made is named in the record and is no error.
func (r *reading) draw(ctx context.Context, files verify.Files, biometrics bool) error {
	groups := []lds.File{lds.DG2, lds.DG5, lds.DG7}
	if biometrics {
		groups = []lds.File{lds.DG2, lds.DG3, lds.DG4, lds.DG5, lds.DG7}
	}
	for _, f := range groups {
		raw, ok := files[f]
		if !ok {
			continue
		}
		images, err := rasters(f, raw)
		if err != nil {
			r.record.Unshown = append(r.record.Unshown, unshownJSON{f.Name(), picture.Unknown.String(), verify.Escape(err.Error())})
		}
		for i, img := range images {
			name := f.Name()
			if i > 0 {
				name = fmt.Sprintf("%s-%d", name, i+1)
			}
			if err := r.drawOne(ctx, name, img); err != nil {
				return err
			}
		}
	}
	return nil
}

// rasters takes the images out of a data group.
func rasters(f lds.File, raw []byte) ([]raster, error) {
	var list []raster
	switch f {
	case lds.DG2:
		faces, err := lds.ParseDG2(raw)
		for _, face := range faces {
			list = append(list, raster{octets: face.Image})
		}
		return list, err
	case lds.DG3, lds.DG4:
		b, err := lds.ParseBiometrics(f, raw)
		if err != nil {
			return nil, err
		}
		for _, s := range b.Samples {
			list = append(list, raster{s.Image, s.Width, s.Height})
		}
		return list, nil
	}
	images, err := lds.ParseDisplayed(f, raw)
	for _, img := range images {
		list = append(list, raster{octets: img})
	}
	return list, err
}

func (r *reading) drawOne(ctx context.Context, name string, in raster) error {
	coding, _, _ := picture.Sniff(in.octets)
	img, err := r.decode(ctx, coding, in)
	switch {
	case errors.Is(err, picture.ErrNoDecoder):
		r.record.Unshown = append(r.record.Unshown, unshownJSON{name, coding.String(), reasonNoDecoder})
		return nil
	case errors.Is(err, picture.ErrPicture):
		r.record.Unshown = append(r.record.Unshown, unshownJSON{name, coding.String(), verify.Escape(err.Error())})
		return nil
	case err != nil:
		return err
	}
	var b bytes.Buffer
	if err := picture.EncodePNG(&b, img); err != nil {
		return err
	}
	size := img.Bounds().Size()
	r.record.Pictures = append(r.record.Pictures, pictureJSON{name + ".png", name, coding.String(), size.X, size.Y})
	return durable.Replace(filepath.Join(r.dir, name+".png"), b.Bytes(), 0o600)
}

func (r *reading) decode(ctx context.Context, coding picture.Coding, in raster) (image.Image, error) {
	if coding == picture.Unknown && in.width > 0 {
		return picture.Grey(in.octets, in.width, in.height)
	}
	if coding == picture.JPEG2000 && openjpeg.Available() == nil && !openjpeg.Isolated(ctx) {
		r.openNetwork = true
	}
	return picture.Decode(ctx, in.octets, picture.Options{JPEG2000: openjpeg.Decode})
}
