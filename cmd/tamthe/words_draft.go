package main

import (
	"errors"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// How a draft stands, as desk send and desk draft say it.
var wordsDraft = map[string]phrase{
	draftFiled:   {"filed", "đã vào sổ"},
	draftRefused: {"refused", "bị từ chối"},
	draftOther:   {"waits for the officer who took it in", "chờ cán bộ đã tiếp nhận"},
	draftWaits:   {"waits", "đang chờ"},
}

// keptVi is what keptError says, in Vietnamese.
func keptVi(e *keptError) string {
	if errors.Is(e.away, ledger.ErrUnattended) {
		return "hồ sơ " + e.app + ": ở trung tâm chưa có nơi nhận việc của các quầy"
	}
	return "hồ sơ " + e.app + ": không kết nối được với sổ của trung tâm"
}
