package main

import (
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/verify"
)

// The ten checks of a finished card.
var (
	wordQuality = map[string]phrase{
		desk.QAOpens:      {"the chip opens with what is printed", "mở được chip bằng thông tin in trên thẻ"},
		desk.QAFiles:      {"every file is as signed", "mọi tệp trên chip đúng như đã ký"},
		desk.QASignature:  {"signature, certificates and digests", "chữ ký, chứng thư và giá trị băm"},
		desk.QAChip:       {"the chip proves its keys", "chip chứng minh được khóa của mình"},
		desk.QABiometrics: {"fingerprints and irises are shut", "vân tay và mống mắt được khóa"},
		desk.QALocked:     {"the chip is locked for good", "chip đã khóa vĩnh viễn"},
		desk.QAAnonymous:  {"the chip does not name itself", "chip không tự xưng danh"},
		desk.QABody:       {"what is printed is what was ordered", "phần in trên thẻ đúng như đã duyệt"},
		desk.QAKeys:       {"no other card has its keys", "không thẻ nào khác có cùng khóa"},
		desk.QASample:     {"the long suite, by sample", "bộ phép thử đầy đủ, theo mẫu"},
	}
	wordOutcomes = map[verify.Outcome]phrase{
		verify.Passed: {"passed", "đạt"}, verify.Failed: {"FAILED", "KHÔNG ĐẠT"}, verify.Absent: {"none", "không có"},
		verify.NotRun: {"not run", "chưa thử"}, verify.Undetermined: {"undetermined", "chưa rõ"},
	}
)
