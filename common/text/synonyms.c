#include "common/text/synonyms.h"

#include <string.h>

#include "common/text/terms.h"

/* Folded (terms.h), nouns and verbs as dictionaries have them and where those differ much, as people ask. */
static const char *const groups[] = {
	/* Money */
	"price cost costs charge fee rate fare tariff expensive preis kosten kostet gebuhr tarif precio cuesta coste "
	"cuota tarifa prix coute cout frais prezzo costa costo tariffa preco custa prijs kost pris kostar цена стоит "
	"стоимость ucret fiyat 价格 多少 料金 値段 ",
	"deposit security kaution pfand anzahlung fianza deposito caution acompte cauzione borg залог депозит depozito 押金 保証 ",
	"discount reduction reduced rebate concession cheaper rabatt ermassigung nachlass descuento rebaja remise reduction "
	"sconto desconto korting скидка indirim 折扣 割引 ",
	"pay payment paid payable bezahlen zahlen bezahlung zahlung zahlbar pagar pago payer paiement pagare pagamento betalen "
	"betala оплата оплатить платить odeme odeyebilir 支付 付款 支払 ",
	"bill invoice rechnung factura facture fattura fatura factuur счет 发票 請求 ",
	"fine penalty busse strafe mahngebuhr multa penalizacion amende penalite штраф ceza 罚款 罰金 ",
	"surcharge supplement extra zuschlag aufpreis recargo suplemento supplement supplemento доплата 附加 追加 ",
	"refund reimburse reimbursement erstattung erstatten reembolso remboursement rembourser rimborso terugbetaling возврат "
	"iade 退款 返金 ",
	"money cash bargeld geld dinero efectivo argent especes soldi contanti деньги наличные nakit 现金 現金 ",
	"salary wage wages gehalt lohn sueldo salario nomina salaire stipendio зарплата maas 工资 給料 ",
	"gift present geschenk regalo cadeau подарок hediye 礼物 ",
	/* Contracts */
	"cancel cancellation terminate end quit close stop kundigen kundigung stornieren stornierung beenden cancelar "
	"cancelacion baja anular annuler annulation resilier disdire annullare opzeggen annuleren отменить отмена iptal 取消 解約 ",
	"contract agreement vertrag vereinbarung contrato acuerdo contrat accord contratto contract договор sozlesme 合同 契約 ",
	"membership subscription member mitgliedschaft abonnement abo abono suscripcion abbonamento абонемент uyelik 会员 会員 ",
	"book booking reserve reservation buchen buchung reservieren reservierung reservar reserva reserver prenotare "
	"prenotazione boeken бронь забронировать rezervasyon 预订 予約 ",
	"order purchase buy bestellen bestellung kaufen pedido comprar compra commande commander acheter achat ordine comprare "
	"acquisto заказ купить покупка siparis satin 购买 注文 ",
	"appointment termin cita rendez appuntamento afspraak прием запись randevu 预约 予約 ",
	"rent rental hire lease miete mieten vermieten alquiler alquilar louer affitto noleggio huur huren аренда kira 租金 ",
	"insurance insured cover covered versicherung versichert seguro assurance assure assicurazione страховка sigorta 保险 保険 ",
	"warranty guarantee garantie gewahrleistung garantia garanzia гарантия garanti 保修 保証 ",
	"complaint complain beschwerde reklamation queja reclamacion reclamation plainte reclamo жалоба sikayet 投诉 苦情 ",
	"notice kundigungsfrist preaviso antelacion preavis preavviso ",
	"customer client kunde kunden cliente clientes client klant клиент musteri 客户 顾客 ",
	"allowed permitted permission erlaubt gestattet permitido permite autorise permis permesso разрешено izin 允许 ",
	"forbidden prohibited banned excluded verboten untersagt prohibido interdit vietato запрещено yasak 禁止 ",
	"required necessary mandatory compulsory erforderlich notwendig notig pflicht necesario obligatorio necessaire "
	"obligatoire necessario obbligatorio обязательно gerekli 需要 必要 ",
	/* Sending */
	"delivery deliver shipping ship shipment dispatch carriage lieferung liefern versand zustellung entrega envio livraison "
	"livrer consegna spedizione bezorging levering доставка teslimat 配送 送货 配達 ",
	"parcel package packet paket sendung paquete colis pacco pakket посылка kargo 包裹 快递 荷物 ",
	"return returns ruckgabe zurucksenden retoure devolver devolucion retour rendre retourner reso restituire вернуть iade "
	"退货 返品 ",
	"goods stuff items belongings possessions sachen waren gegenstande cosas objetos affaires objets cose oggetti вещи esya "
	"物品 ",
	/* Time */
	"open opening opens hours geoffnet offnungszeiten offnet offen abierto abre horario apertura ouvert ouvre ouverture "
	"horaires aperto apre orari aberto geopend oppet открыт открывается работает acik acilir 开放 营业 営業 ",
	"closed closes closing shut geschlossen schliesst cerrado cierra ferme fermeture chiuso chiude gesloten закрыт "
	"закрывается kapali kapanir 关闭 ",
	"start begin begins beginn beginnt anfang empieza comienza inicio debut commence inizio inizia начало начинается "
	"baslar 开始 開始 ",
	"finish end ends ende endet termina fin finit finisce конец заканчивается biter 结束 終了 ",
	"duration last lasts dauer dauert duracion dura duree dure durata длится surer ",
	"fast quick quickly speed soon schnell geschwindigkeit rapido velocidad rapide vite vitesse veloce velocita быстро "
	"скорость hizli 速度 ",
	"late overdue overrun delay delayed verspatet verspatung tarde retraso retard ritardo опоздание gecikme 逾期 延迟 遅延 ",
	"day daily tag taglich dia diario jour quotidien giorno giornaliero день gun gunluk 每天 毎日 ",
	"week weekly woche wochentlich semana semanal semaine settimana неделя hafta 每周 毎週 ",
	"month monthly monat monatlich mes mensual mois mensuel mese mensile месяц месячный aylik 每月 毎月 ",
	"year yearly annual annually jahr jahrlich ano anual annee annuel anno annuale год годовой yillik 每年 毎年 ",
	"night nacht noche nuit notte ночь gece ",
	"monday montag montags lunes lundi lunedi понедельник pazartesi 周一 ",
	"tuesday dienstag dienstags martes mardi martedi вторник sali 周二 ",
	"wednesday mittwoch mittwochs miercoles mercredi mercoledi среда carsamba 周三 ",
	"thursday donnerstag donnerstags jueves jeudi giovedi четверг persembe 周四 ",
	"friday freitag freitags viernes vendredi venerdi пятница cuma 周五 ",
	"saturday samstag samstags sabado samedi sabato суббота cumartesi 周六 weekend ",
	"sunday sonntag sonntags domingo dimanche domenica воскресенье pazar 周日 weekend ",
	"arrival arrive checkin ankunft anreise llegada arrivee arrivo прибытие заезд varis 入住 到着 ",
	"departure depart checkout abreise abfahrt salida sale depart partenza отправление выезд kalkis 退房 出発 ",
	/* Measures */
	"heavy weigh weighs weight kg schwer wiegt gewicht pesa peso lourd poids pese pesante вес весит тяжелый agirlik "
	"重量 重さ ",
	"wide width broad breit breite ancho anchura largeur larghezza ширина genislik 宽度 ",
	"tall height high hoch hohe alto altura haut hauteur altezza высота yukseklik 高度 高さ ",
	"deep depth tief tiefe profundo profundidad profond profondeur profondita глубина derinlik 深度 ",
	"length long lange lang largo longitud longueur lunghezza длина uzunluk 长度 長さ ",
	"size dimensions measurements area grosse abmessungen tamano medidas superficie taille dimensioni размер boyut 尺寸 "
	"大小 ",
	"loud noisy noise laut lautstarke gerausch ruido ruidoso bruit bruyant rumore шум gurultu 噪音 騒音 db ",
	"warm hot temperature temperatur temperatura caliente chaud caldo температура sicaklik 温度 ",
	"old age aged alt alter edad eta возраст лет yas 年龄 年齢 ",
	"minimum least lowest mindestens mindest minimo ",
	"maximum most highest limit hochstens maximal maximo massimo ",
	"small little klein kleine pequeno petit petite piccolo маленький kucuk ",
	"large big gross grosse grande grand большой buyuk ",
	"kg kilo kilos kilogram kilograms ",
	"minute minutes min minuten minutos ",
	"hour hours stunde stunden hora horas heure heures ora ore ",
	/* People */
	"people persons person serves personen personas personnes persone ",
	"child children kid kids kind kinder nino ninos enfant bambino bambini дети ребенок cocuk 儿童 子供 ",
	"parent parents father mother dad mum mom eltern vater mutter padre madre pere mere genitori родители ",
	"baby birth born newborn geburt nacimiento naissance nascita рождение dogum ",
	"sibling siblings brother brothers sister sisters geschwister hermano hermana hermanos frere soeur fratelli ",
	"funeral death died burial bereavement tod todesfall beerdigung fallecimiento deces enterrement morte смерть ",
	"wedding marriage marry married hochzeit heirat boda matrimonio mariage свадьба dugun ",
	"student students apprentice studierende studenten estudiante estudiantes etudiant studente студент ogrenci 学生 ",
	"pensioner retired retiree senior seniors elderly rentner senioren jubilado jubilados retraite pensionato пенсионер "
	"emekli 老人 ",
	"boss manager supervisor head chief director leiter leiterin chef jefe directora directrice capo direttore direttrice "
	"руководитель директор mudur 经理 ",
	"employee employees staff worker mitarbeiter angestellte empleado employe personnel dipendente сотрудник calisan "
	"员工 ",
	"doctor physician medical arzt arztin arztlich medico medecin dottore врач doktor 医生 医者 ",
	"absent absence apologies excused abwesend entschuldigt ausente ausencia excuse assente ",
	"attended attendees attending attendance present participants anwesend presentes presents ",
	"disabled disability wheelchair accessible accessibility behindert rollstuhl barrierefrei discapacidad handicape fauteuil "
	"disabile инвалид engelli 无障 ",
	/* Work and school */
	"holiday holidays vacation leave urlaub vacaciones conge conges vacances ferie отпуск tatil izin 休假 假期 休暇 ",
	"sick ill illness sickness disease krank krankheit enfermo enfermedad malade maladie malato malattia болезнь hasta "
	"hastalik 生病 病気 ",
	"certificate note attest bescheinigung certificado certificat attestation certificato справка belge 证明 証明 ",
	"relocate relocation moving move umzug umziehen mudanza mudarse demenagement demenager trasloco переезд tasinma 搬家 "
	"引越 ",
	"remote remotely telework homeoffice home elsewhere ",
	"course lesson class kurs unterricht curso clase cours lecon corso lezione курс урок ders 课程 授業 ",
	"decide decision decided resolved agreed chose chosen beschluss beschlossen entscheidung decision decidido decide "
	"deciso решение karar 决定 決定 ",
	/* Reaching somebody */
	"phone telephone call ring hotline telefon telefonnummer rufnummer anrufen telefono llamar appeler telefoon телефон "
	"позвонить 电话 電話 ",
	"mobile cell cellphone phone smartphone handy movil portable cellulare ",
	"mail email correo courriel posta почта eposta 邮箱 邮件 ",
	"contact reach kontakt erreichen contacto contactar contacter contatto связаться iletisim 联系 連絡 ",
	"support service help kundendienst kundenservice kundenzentrum servicio atencion assistance assistenza servizio "
	"поддержка hizmet destek 客服 ",
	"address adresse anschrift direccion indirizzo адрес adres 地址 住所 ",
	"emergency urgent notfall emergencia urgence emergenza экстренный дежурный acil 紧急 緊急 ",
	"reply respond response antwort antworten respuesta responder reponse repondre risposta ответ yanit 回复 回答 ",
	/* Things and what goes wrong with them */
	"repair fix mend reparatur reparieren werkstatt reparacion reparar reparation reparer riparazione riparare ремонт tamir "
	"维修 修理 ",
	"fault defect failure broken damage damaged malfunction storung defekt schaden fehler averia dano averiado panne dommage "
	"guasto danno поломка повреждение ariza hasar 故障 破损 ",
	"outage blackout failure stromausfall apagon panne interruzione сбой kesinti 停电 停電 ",
	"electricity power strom electricidad luz electricite corrente elettricita электричество elektrik 电力 電気 ",
	"lost lose loss missing stolen theft steal verloren verlust gestohlen diebstahl perdido perdida pierdo robo robado perdu "
	"perte vol vole perso furto потерял потеря утеря kayip 丢失 遗失 紛失 ",
	"clean cleaning wash rinse reinigen reinigung limpiar limpieza nettoyer nettoyage pulire pulizia чистить temizle 清洁 "
	"掃除 ",
	"inspection check checkup inspektion wartung inspeccion revision controle ispezione проверка осмотр bakim 检查 点検 ",
	"device machine appliance gerat maschine aparato maquina appareil macchina устройство cihaz makine 设备 機器 ",
	"battery akku batterie bateria батарея pil 电池 ",
	"screen display bildschirm pantalla ecran schermo экран ekran 屏幕 画面 ",
	"photo photos photograph photography picture pictures foto fotos fotografieren fotografia photographie immagine фото "
	"fotograf 照片 写真 ",
	"freeze frozen freezer einfrieren congelar congeler congelare заморозить заморозка dondur 冷冻 冷凍 ",
	"undo revert restore recover rollback wiederherstellen restaurar deshacer restaurer retablir ripristinare восстановить "
	"恢复 復元 ",
	"backup backups snapshot sicherung sauvegarde ",
	"delete remove erase loschen entfernen eliminar borrar supprimer effacer cancellare eliminare удалить 删除 削除 ",
	"change alter modify edit andern anpassen cambiar modificar changer modifier cambiare modificare изменить degistir 修改 "
	"変更 ",
	"store keep kept retain stored speichern aufbewahren aufbewahrt guardar conservar conserver garder conservare хранить "
	"хранится saklar 保存 保管 ",
	"password passcode kennwort passwort contrasena clave passe parola пароль sifre 密码 ",
	/* Houses and travel */
	"room zimmer habitacion cuarto chambre camera kamer комната oda 房间 部屋 ",
	"double doppel doppelzimmer doble matrimoniale doppia двухместный cift 双人 ",
	"apartment flat wohnung apartamento appartement appartamento квартира daire 公寓 ",
	"parking park garage spaces parkplatz parkplatze parken aparcamiento estacionamiento stationnement parcheggio парковка "
	"otopark 停车 駐車 ",
	"bike bicycle cycle fahrrad fahrrader rad bici bicicleta velo bicyclette bicicletta fiets велосипед bisiklet 自行 ",
	"dog dogs hund hunde perro perros chien chiens cane cani собака kopek ",
	"pet pets animal animals haustier haustiere tier tiere mascota mascotas animal animaux animali животное hayvan 宠物 ",
	"border frontier abroad foreign ausland grenze extranjero frontera etranger frontiere estero confine граница граница "
	"国外 海外 ",
	"identity identification passport ausweis personalausweis identidad pasaporte identite passeport identita паспорт "
	"kimlik 身份 身分 ",
	"admission entry entrance ticket eintritt eintrittskarte entrada entree billet ingresso biglietto вход билет giris "
	"bilet 门票 入場 ",
	"lift elevator aufzug fahrstuhl ascensor ascenseur ascensore лифт asansor 电梯 ",
	"toilet restroom bathroom toilette bano toilettes bagno туалет tuvalet 厕所 ",
	"breakfast fruhstuck desayuno colazione завтрак kahvalti 早餐 朝食 ",
	"lunch mittagessen almuerzo pranzo обед 午餐 昼食 ",
	"dinner supper abendessen cena diner ужин 晚餐 夕食 ",
	"meal food dish essen mahlzeit comida plato repas plat pasto cibo еда yemek 食事 ",
	"station stop haltestelle bahnhof parada estacion arret gare fermata stazione остановка станция durak istasyon 车站 ",
	"gym fitness fitnessstudio gimnasio спортзал ",
	"campsite campground camping campingplatz ",
	/* The same in other spellings */
	"tyre tire ",
	"colour color ",
	"centre center ",
	"licence license ",
	"programme program ",
	"litre liter ",
	"metre meter ",
	"grey gray ",
	"catalogue catalog ",
	"wifi wlan ",
};

enum { ALIKE = 2 /* bytes in common at their start, which forms of one word have */ };

/* The next word of a group, NULL at its end. */
static const char *next(const char **at, size_t *size)
{
	const char *word = *at;

	if (!*word)
		return NULL;
	*size = strcspn(word, " ");
	*at = word + *size + 1;
	return word;
}

static uint64_t hash(const char *word, size_t size, enum language language, struct stemmers *stemmers)
{
	struct terms terms;
	struct term t;

	terms_init(&terms, word, size, stemmers, language);
	return terms_next(&terms, &t) ? t.hash : 0;
}

static bool has(const char *group, const char *word, uint64_t asked, enum language language,
                struct stemmers *stemmers)
{
	const char *member;
	size_t length;

	while ((member = next(&group, &length)))
		if (memcmp(member, word, ALIKE) == 0 && hash(member, length, language, stemmers) == asked)
			return true;
	return false;
}

static size_t add(uint64_t hash, uint64_t *ret, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ret[i] == hash)
			return n;
	if (n < SYNONYMS_MAX)
		ret[n++] = hash;
	return n;
}

size_t synonyms_find(const char *word, size_t size, enum language language, unsigned spoken,
                     struct stemmers *stemmers, uint64_t ret[SYNONYMS_MAX])
{
	uint64_t asked;
	size_t n = 0;

	if (size <= ALIKE)
		return 0;
	asked = hash(word, size, language, stemmers);
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		const char *at = groups[i], *member;
		size_t length;

		if (!has(groups[i], word, asked, language, stemmers))
			continue;
		while ((member = next(&at, &length)))
			for (int l = 0; l < LANGUAGES; l++)
				if (spoken >> l & 1)
					n = add(hash(member, length, (enum language)l, stemmers), ret, n);
	}
	return n;
}
