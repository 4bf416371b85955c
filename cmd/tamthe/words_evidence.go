package main

import (
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
)

// The phrases about bundles of evidence and the record of inspections.
var (
	wordNotRecorded    = phrase{"the inspection is not recorded", "lần kiểm tra này không được ghi vào sổ kiểm tra"}
	wordNotRemembered  = phrase{"the revocation lists of this judgement are not remembered", "không ghi nhớ được các danh sách thu hồi của lần xét này"}
	wordRecordMended   = phrase{"a power cut had torn off an entry of the record of inspections; it was completed from its signed copy", "mất điện đã làm đứt một mục của sổ kiểm tra; mục đó đã được ghi đủ lại từ bản sao có ký"}
	wordRecordWhole    = phrase{"whole: %d inspections, as this device signed them", "nguyên vẹn: %d lần kiểm tra, đúng như thiết bị này đã ký"}
	wordRecordTorn     = phrase{"a power cut tore off the last entry; the next inspection completes it", "mất điện đã làm đứt mục cuối; lần kiểm tra sau sẽ ghi đủ lại"}
	wordRecordTampered = phrase{"TAMPERED WITH: %s", "ĐÃ BỊ SỬA: %s"}

	wordUnsealed      = phrase{"the seal is broken: rely on nothing in this bundle", "niêm phong đã hỏng: không dựa vào nội dung nào trong hồ sơ này"}
	wordKnownDevice   = phrase{"sealed by device %s…, whose word you take", "do thiết bị %s… niêm phong, lời của thiết bị này được tin"}
	wordStranger      = phrase{"sealed by device %s…; its word counts with --device only", "do thiết bị %s… niêm phong; lời của nó chỉ được tính khi có --device"}
	wordCase          = phrase{"case %s", "vụ việc %s"}
	wordPurpose       = phrase{"purpose: %s", "mục đích: %s"}
	wordRecorded      = phrase{"recorded as %s, judged at %s under policy %s", "đã ghi: %s, xét lúc %s, chính sách %s"}
	wordThirdParty    = phrase{"third parties may rest on it", "bên thứ ba dựa vào được"}
	wordNotThirdParty = phrase{"proves nothing to third parties", "không phải bằng chứng với bên thứ ba"}
	wordTime          = phrase{"2006-01-02 15:04 UTC", "02/01/2006 15:04 UTC"}
	wordChanged       = phrase{"changed: %s was %s, is %s", "khác trước: %s trước là %s, nay là %s"}

	wordClaims = map[verify.Claim]phrase{
		verify.Integrity:   {"data intact", "dữ liệu nguyên vẹn"},
		verify.Authentic:   {"signed by the issuer", "do cơ quan cấp ký"},
		verify.Original:    {"chip original", "chip gốc"},
		verify.InForce:     {"in force", "còn hiệu lực"},
		verify.HolderBound: {"bearer is the holder", "đúng người được cấp"},
	}
	wordRests = map[evidence.Rest]phrase{
		evidence.RestNothing: {"not shown", "chưa được chứng minh"},
		evidence.RestIssuer:  {"by the issuer's signature", "nhờ chữ ký của cơ quan cấp"},
		evidence.RestChip:    {"by the chip's signature for this case", "nhờ chữ ký của chip cho vụ việc này"},
		evidence.RestStore:   {"by your own trust store and lists", "nhờ kho tin cậy và danh sách của bạn"},
		evidence.RestDevice:  {"by the word of the device", "nhờ lời của thiết bị"},
	}
)
